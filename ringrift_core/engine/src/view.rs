//! Reading a state: what evaluation, encoders and renderers need. Seats are 0-based, cells dense indexes.

use crate::bits::Bits;
use crate::board::{Geometry, NONE};
use crate::setup::Setup;
use crate::state::{Phase, RegionDebt, State};

/// What a cell holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Content {
    Empty,
    Marker {
        owner: usize,
    },
    Collapsed {
        owner: usize,
    },
    Stack {
        controller: usize,
        /// Number of rings.
        height: usize,
        /// Length of the top run.
        cap: usize,
    },
}

fn cell_in<G: Geometry>(slot: u16) -> Option<usize> {
    (slot != NONE).then(|| State::<G>::cell_of(slot as usize))
}

impl<G: Geometry> State<G> {
    pub fn setup(&self) -> Setup {
        self.setup
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Seat to move; the winner's once the game is over.
    #[inline(always)]
    pub fn to_move(&self) -> usize {
        self.seat as usize
    }

    /// 1 for the first turn, one more for each turn of any seat.
    pub fn turn_number(&self) -> u32 {
        self.turn.number
    }

    /// Rings in a seat's hand.
    #[inline(always)]
    pub fn hand(&self, seat: usize) -> u32 {
        self.hand[seat] as u32
    }

    /// E: rings a seat caused to leave the game.
    #[inline(always)]
    pub fn eliminated(&self, seat: usize) -> u32 {
        self.credited[seat] as u32
    }

    /// T: collapsed cells of a seat.
    #[inline(always)]
    pub fn territory(&self, seat: usize) -> u32 {
        self.territory[seat] as u32
    }

    /// Rings of a seat's colour on the board, buried ones included.
    #[inline(always)]
    pub fn rings_on_board(&self, seat: usize) -> u32 {
        self.on_board[seat] as u32
    }

    /// Number of stacks a seat controls.
    pub fn stacks_controlled(&self, seat: usize) -> u32 {
        self.controlled[seat].count()
    }

    /// Number of markers of a seat.
    pub fn markers_owned(&self, seat: usize) -> u32 {
        self.markers[seat].count()
    }

    /// The last-player-standing tracker: the solo seat and its rounds so far.
    pub fn solo(&self) -> Option<(usize, u32)> {
        let tracker = &self.record.tracker;
        (tracker.solo_count > 0).then_some((tracker.solo_seat as usize, tracker.solo_count as u32))
    }

    /// Has the pie rule been used?
    pub fn swap_used(&self) -> bool {
        self.record.swap_used
    }

    /// Cell of the stack that must move this turn.
    pub fn must_move(&self) -> Option<usize> {
        cell_in::<G>(self.turn.must_move)
    }

    /// Cell from which the optional capture after a plain move starts.
    pub fn capture_from(&self) -> Option<usize> {
        cell_in::<G>(self.turn.capture_from)
    }

    /// Cell of the stack that must go on capturing.
    pub fn chain_from(&self) -> Option<usize> {
        cell_in::<G>(self.turn.chain_from)
    }

    /// Is a ring owed for a line?
    pub fn line_debt(&self) -> bool {
        self.turn.line_debt
    }

    /// What is owed for a region.
    pub fn region_debt(&self) -> RegionDebt {
        self.turn.region_debt
    }

    /// Was a recovery slide made this turn?
    pub fn recovered(&self) -> bool {
        self.turn.recovered
    }

    /// What a cell (0..N) holds.
    #[inline(always)]
    pub fn content(&self, cell: usize) -> Content {
        let slot = Self::slot_of(cell);
        let stack = self.stacks.at(slot);
        if stack.height() > 0 {
            let (controller, height) = (stack.controller(), stack.height());
            return Content::Stack { controller, height, cap: self.stacks.cap(slot) };
        }
        for owner in 0..self.players() {
            if self.markers[owner].has(slot) {
                return Content::Marker { owner };
            }
            if self.collapsed[owner].has(slot) {
                return Content::Collapsed { owner };
            }
        }
        Content::Empty
    }

    /// Ring colours (seats) of the stack on a cell, bottom first; empty where there is no stack.
    pub fn rings(&self, cell: usize) -> impl Iterator<Item = usize> + '_ {
        self.stacks.rings(Self::slot_of(cell))
    }

    /// Calls `visit` with the cell of every stack the seat controls.
    #[inline(always)]
    pub fn for_each_stack(&self, seat: usize, mut visit: impl FnMut(usize)) {
        self.controlled[seat].for_each(|slot| visit(Self::cell_of(slot)));
    }

    /// Calls `visit` with the cell of every marker of the seat.
    #[inline(always)]
    pub fn for_each_marker(&self, seat: usize, mut visit: impl FnMut(usize)) {
        self.markers[seat].for_each(|slot| visit(Self::cell_of(slot)));
    }

    /// Calls `visit` with every collapsed cell of the seat.
    #[inline(always)]
    pub fn for_each_collapsed(&self, seat: usize, mut visit: impl FnMut(usize)) {
        self.collapsed[seat].for_each(|slot| visit(Self::cell_of(slot)));
    }

    /// Can a stack of the seat move or capture?
    pub fn can_move(&self, seat: usize) -> bool {
        self.has_stack_action(seat)
    }

    /// Is the seat permanently eliminated (R175): no ring in hand or on the board?
    pub fn is_out(&self, seat: usize) -> bool {
        self.is_gone(seat)
    }
}
