//! States from outside: what the fields of a turn may be in each phase. Board and counts are checked where they are read.

use crate::bits::Bits;
use crate::board::{Geometry, NONE};
use crate::error::Error;
use crate::moves::MoveList;
use crate::notation::cell_text;
use crate::state::{Phase, RegionDebt, State};

impl<G: Geometry> State<G> {
    /// Refuses a state that no play of the rules could continue from.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.check_turn_slots()?;
        self.check_turn_start()?;
        self.check_debts()?;
        self.check_rotation()?;
        self.check_moves()
    }

    fn check_turn_slots(&self) -> Result<(), Error> {
        let (turn, phase) = (&self.turn, self.phase);
        let capturing = matches!(phase, Phase::Capture | Phase::ChainCapture);
        let allowed = [
            ("state.turn.mustMove", turn.must_move, phase == Phase::Movement || capturing, false),
            ("state.turn.captureFrom", turn.capture_from, phase == Phase::Capture, phase == Phase::Capture),
            ("state.turn.chainFrom", turn.chain_from, phase == Phase::ChainCapture, phase == Phase::ChainCapture),
        ];
        for (place, slot, may, must) in allowed {
            if slot == NONE {
                if must {
                    return Err(Error::new(place, format!("missing: the phase {} needs it", phase.name())));
                }
                continue;
            }
            if !may {
                return Err(Error::new(place, format!("set in the phase {}", phase.name())));
            }
            if !self.controlled[self.mover()].has(slot as usize) {
                let cell = cell_text(G::BOARD, Self::cell_of(slot as usize));
                return Err(Error::new(place, format!("player {} controls no stack on {cell}", self.seat + 1)));
            }
        }
        let origin = if phase == Phase::Capture { turn.capture_from } else { turn.chain_from };
        if capturing && turn.must_move != NONE && turn.must_move != origin {
            return Err(Error::new("state.turn.mustMove", "differs from the cell of the capturing stack"));
        }
        Ok(())
    }

    /// What is still unset until the turn's first move, or its movement. Profile deployed carries flags over from the turn
    /// before, where one seat plays two in a row (its item 5).
    fn check_turn_start(&self) -> Result<(), Error> {
        if self.setup.deployed() {
            return Ok(());
        }
        let turn = &self.turn;
        if self.phase == Phase::Movement && turn.must_move != NONE && turn.recovered {
            return Err(Error::new("state.turn.recovered", "true before the turn's movement"));
        }
        let flags = [
            ("state.turn.recovered", turn.recovered),
            ("state.turn.changed", turn.changed),
            ("state.turn.lineDone", turn.line_done),
            ("state.turn.regionDone", turn.region_done),
            ("state.turn.realTaken", turn.real_taken),
        ];
        match flags.into_iter().find(|(_, set)| *set && self.phase == Phase::RingPlacement) {
            Some((place, _)) => Err(Error::new(place, "true before the turn's first move")),
            None => Ok(()),
        }
    }

    fn check_debts(&self) -> Result<(), Error> {
        let turn = &self.turn;
        let controls = !self.controlled[self.mover()].is_empty();
        if turn.line_debt && self.phase != Phase::LineProcessing {
            return Err(Error::new("state.turn.lineDebt", format!("true in the phase {}", self.phase.name())));
        }
        if turn.region_debt != RegionDebt::None && self.phase != Phase::TerritoryProcessing {
            return Err(Error::new("state.turn.regionDebt", format!("set in the phase {}", self.phase.name())));
        }
        let payable = match turn.region_debt {
            RegionDebt::None => true,
            RegionDebt::Cap => controls,
            RegionDebt::Buried => self.all_stacks().any(|slot| self.stacks.has_buried(slot, self.mover())),
        };
        if turn.line_debt && !controls {
            return Err(Error::new("state.turn.lineDebt", format!("player {} controls no stack", self.seat + 1)));
        }
        if !payable {
            return Err(Error::new("state.turn.regionDebt", format!("player {} cannot pay it", self.seat + 1)));
        }
        if (turn.region_debt == RegionDebt::Buried) != (turn.recovered && turn.region_debt != RegionDebt::None) {
            return Err(Error::new("state.turn.regionDebt", "\"buried\" belongs to a turn with a recovery slide"));
        }
        if self.phase == Phase::ForcedElimination && !controls {
            let reason = format!("forced_elimination, but player {} controls no stack", self.seat + 1);
            return Err(Error::new("state.ph", reason));
        }
        if self.phase == Phase::ForcedElimination && turn.changed {
            return Err(Error::new("state.turn.changed", "true in the phase forced_elimination"));
        }
        Ok(())
    }

    fn check_rotation(&self) -> Result<(), Error> {
        if self.phase == Phase::RingPlacement && self.is_gone(self.mover()) {
            let reason = format!("player {} has no ring left and is out of the rotation", self.seat + 1);
            return Err(Error::new("state.p", reason));
        }
        Ok(())
    }

    /// Every active state has a legal move; a stack that must act can.
    fn check_moves(&self) -> Result<(), Error> {
        let mut list = MoveList::new();
        match self.phase {
            Phase::GameOver => return Ok(()),
            Phase::Movement if self.turn.must_move != NONE => self.list_stack_actions(&mut list),
            _ => self.legal_moves(&mut list),
        }
        if list.is_empty() {
            return Err(Error::new("state", format!("no legal move in the phase {}", self.phase.name())));
        }
        Ok(())
    }
}
