//! Territory: claimable regions, their border, and the claim (section 6, R140-R145).

use crate::bits::Bits;
use crate::board::{for_each_direction, Geometry, MAX_PLAYERS};
use crate::moves::{Move, MoveKind, MoveList};
use crate::setup::Profile;
use crate::state::{RegionDebt, State};

/// Wall label: 0 for collapsed cells only, else the seat (1-4) whose markers are walls as well.
type Label = usize;

/// The connected part of `within` that contains `seed`, by territory neighbourhood.
#[inline(always)]
pub(crate) fn flood<G: Geometry>(seed: G::Bits, within: G::Bits) -> G::Bits {
    let mut reached = seed & within;
    loop {
        let before = reached;
        // One direction after the other, each from what the last one reached: a few rounds instead of one per cell.
        for_each_direction!(G, direction => {
            if G::is_territory_direction(direction) {
                reached |= G::step(reached, direction) & within;
            }
        });
        if reached == before {
            return reached;
        }
    }
}

impl<G: Geometry> State<G> {
    /// Everything that is no wall under the label.
    #[inline(always)]
    fn open_cells(&self, label: Label) -> G::Bits {
        let mut open = G::CELLS & !self.all_collapsed();
        if label > 0 {
            open &= !self.markers[label - 1];
        }
        open
    }

    /// Calls `visit` with (region, label) for each claimable region until it returns true; says whether it did.
    pub(crate) fn any_claimable(&self, mut visit: impl FnMut(G::Bits, Label) -> bool) -> bool {
        if self.controlled[self.mover()].is_empty() && !self.turn.recovered {
            return false;
        }
        for label in 0..=self.players() {
            if label > 0 && self.markers[label - 1].is_empty() {
                continue;
            }
            let open = self.open_cells(label);
            // Not even a corner can be cut off by so few walls.
            if (G::CELLS & !open).count() < G::BOARD.territory_neighbours_of_a_corner() {
                continue;
            }
            let mut rest = open;
            while let Some(slot) = rest.lowest() {
                let region = flood::<G>(G::Bits::only(slot), rest);
                if region == open {
                    break; // All stacks are inside, so nobody can pay from outside.
                }
                rest &= !region;
                if self.is_claimable(region, label) && visit(region, label) {
                    return true;
                }
            }
        }
        false
    }

    /// Steps 3 to 5 of section 6.1 for a component under `label`.
    fn is_claimable(&self, region: G::Bits, label: Label) -> bool {
        if !self.can_pay_outside(region) {
            return false;
        }
        let (mut inside, mut active) = (0, 0);
        for seat in 0..self.players() {
            inside += !(self.controlled[seat] & region).is_empty() as usize;
            active += (self.on_board[seat] > 0) as usize;
        }
        // Controllers inside have rings on the board, so fewer of them is a strict subset.
        if inside >= active {
            return false;
        }
        match self.setup.profile() {
            Profile::Canonical => label == 0 || !self.has_collapsed_border(region, label),
            Profile::Deployed => self.is_first_deployed_label(region, label, inside),
        }
    }

    /// Is no marker of the label's colour next to the region? Then label none finds the same cells.
    fn has_collapsed_border(&self, region: G::Bits, label: Label) -> bool {
        (G::spread(region) & self.markers[label - 1]).is_empty()
    }

    /// Profile deployed, item 6: label none counts only without markers and with exactly one controller inside; the same
    /// cells found under a colour stay valid. A region is listed under the first label that finds it.
    fn is_first_deployed_label(&self, region: G::Bits, label: Label, controllers: usize) -> bool {
        let none_counts = controllers == 1 && (self.all_markers() & region).is_empty();
        if label == 0 {
            return none_counts;
        }
        if !self.has_collapsed_border(region, label) {
            return true;
        }
        let found_before = |seat: usize| !self.markers[seat].is_empty() && (self.markers[seat] & region).is_empty();
        !none_counts && !(0..label - 1).any(found_before)
    }

    fn can_pay_outside(&self, region: G::Bits) -> bool {
        let mover = self.mover();
        if self.turn.recovered {
            let outside = self.all_stacks() & !region;
            return outside.any(|slot| self.stacks.has_buried(slot, mover));
        }
        !(self.controlled[mover] & !region).is_empty()
    }

    pub(crate) fn list_regions(&self, list: &mut MoveList) {
        self.any_claimable(|region, label| {
            if let Some(slot) = region.lowest() {
                list.push(Move::new(MoveKind::ChooseTerritoryOption, Self::cell_of(slot), label, 0));
            }
            false
        });
    }

    /// The region of a `choose_territory_option`.
    pub(crate) fn region_of(&self, smallest: usize, label: Label) -> G::Bits {
        flood::<G>(G::Bits::only(smallest), self.open_cells(label))
    }

    /// Markers that collapse with the region: the one switchable function of note D10.
    pub(crate) fn border_of(&self, region: G::Bits, label: Label) -> G::Bits {
        match self.setup.profile() {
            Profile::Canonical => self.blocking_border(region, label),
            Profile::Deployed => self.deployed_border(region),
        }
    }

    /// Section 6.2: markers of the label next to the region that are connected, through such markers, to an open cell
    /// outside.
    fn blocking_border(&self, region: G::Bits, label: Label) -> G::Bits {
        if label == 0 {
            return G::Bits::EMPTY;
        }
        let wall = self.markers[label - 1];
        let outside = self.open_cells(label) & !region;
        flood::<G>(G::spread(outside) & wall, wall) & G::spread(region)
    }

    /// Profile deployed, item 7: all markers next to the region, extended by the eight offsets except on hexagonal.
    fn deployed_border(&self, region: G::Bits) -> G::Bits {
        let markers = self.all_markers() & !region;
        let mut border = G::spread(region) & markers;
        if matches!(G::BOARD, crate::board::Board::Hexagonal) {
            return border;
        }
        loop {
            let rows = border | G::step_by(border, 1, 0) | G::step_by(border, -1, 0);
            let wider = (rows | G::step_by(rows, 0, 1) | G::step_by(rows, 0, -1)) & markers;
            if wider == border {
                return border;
            }
            border = wider;
        }
    }

    pub(crate) fn claim_region(&mut self, smallest: usize, label: Label) {
        let region = self.region_of(smallest, label);
        let border = self.border_of(region, label);
        for seat in 0..MAX_PLAYERS {
            (self.controlled[seat] & region).for_each(|slot| self.eliminate_stack(slot));
        }
        self.collapse_all(region | border);
        self.turn.region_debt = if self.turn.recovered { RegionDebt::Buried } else { RegionDebt::Cap };
        self.turn.region_done = true;
    }

    /// Lists the stacks that can pay what is owed for a region.
    pub(crate) fn list_region_payments(&self, list: &mut MoveList) {
        let mover = self.mover();
        if self.turn.region_debt == RegionDebt::Cap {
            self.controlled[mover].for_each(|slot| {
                list.push(Move::new(MoveKind::EliminateForTerritory, Self::cell_of(slot), 0, 0));
            });
        } else {
            self.all_stacks().for_each(|slot| {
                if self.stacks.has_buried(slot, mover) {
                    list.push(Move::new(MoveKind::EliminateForRecovery, Self::cell_of(slot), 0, 0));
                }
            });
        }
    }
}
