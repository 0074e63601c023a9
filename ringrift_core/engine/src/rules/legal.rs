//! The complete list of legal moves: the table of section 3, row by row.

use crate::bits::Bits;
use crate::board::Geometry;
use crate::moves::{Move, MoveKind, MoveList};
use crate::state::{Phase, RegionDebt, State};

impl<G: Geometry> State<G> {
    /// Fills `list` with every legal move. Empty exactly when the game is over.
    pub fn legal_moves(&self, list: &mut MoveList) {
        list.clear();
        match self.phase {
            Phase::RingPlacement => self.list_placement_phase(list),
            Phase::Movement => self.list_movement_phase(list),
            Phase::Capture => {
                self.list_captures(self.turn.capture_from as usize, MoveKind::OvertakingCapture, list);
                list.push(Move::plain(MoveKind::SkipCapture));
            }
            Phase::ChainCapture => {
                self.list_captures(self.turn.chain_from as usize, MoveKind::ContinueCaptureSegment, list);
            }
            Phase::LineProcessing => self.list_line_phase(list),
            Phase::TerritoryProcessing => self.list_territory_phase(list),
            Phase::ForcedElimination => self.list_controlled(MoveKind::ForcedElimination, list),
            Phase::GameOver => {}
        }
    }

    fn list_placement_phase(&self, list: &mut MoveList) {
        self.list_placements(list);
        let placements = !list.is_empty();
        // Profile deployed, item 1: with rings in hand the skip does not need a legal placement beside it.
        let skip_allowed = placements || self.setup.deployed() && self.hand[self.mover()] > 0;
        if skip_allowed && self.may_skip_placement() {
            list.push(Move::plain(MoveKind::SkipPlacement));
        }
        if placements && self.may_swap() {
            list.push(Move::plain(MoveKind::SwapSides));
        }
        if list.is_empty() {
            list.push(Move::plain(MoveKind::NoPlacementAction));
        }
    }

    fn list_movement_phase(&self, list: &mut MoveList) {
        self.list_stack_actions(list);
        if !list.is_empty() {
            return;
        }
        let eligible = self.is_recovery_eligible(self.mover());
        if eligible {
            self.list_recovery_slides(list);
        }
        // Profile deployed, item 4: the eligible seat without a slide passes by skip_recovery.
        if !list.is_empty() || eligible && self.setup.deployed() {
            list.push(Move::plain(MoveKind::SkipRecovery));
        } else {
            list.push(Move::plain(MoveKind::NoMovementAction));
        }
    }

    fn list_line_phase(&self, list: &mut MoveList) {
        if self.turn.line_debt {
            self.list_controlled(MoveKind::EliminateForLine, list);
            return;
        }
        self.list_lines(list);
        if list.is_empty() {
            list.push(Move::plain(MoveKind::NoLineAction));
        }
    }

    fn list_territory_phase(&self, list: &mut MoveList) {
        if self.turn.region_debt != RegionDebt::None {
            self.list_region_payments(list);
            return;
        }
        self.list_regions(list);
        if list.is_empty() {
            list.push(Move::plain(MoveKind::NoTerritoryAction));
        } else {
            list.push(Move::plain(MoveKind::SkipTerritoryProcessing));
        }
    }

    /// One move for each stack the mover controls.
    fn list_controlled(&self, kind: MoveKind, list: &mut MoveList) {
        self.controlled[self.mover()].for_each(|slot| list.push(Move::new(kind, Self::cell_of(slot), 0, 0)));
    }
}
