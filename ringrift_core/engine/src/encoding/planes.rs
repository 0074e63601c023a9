//! The planes of a position over the square array. Cells outside a hexagon are 0 in every plane.

use super::frame::{relative, Frame};
use crate::bits::Bits;
use crate::board::{Geometry, MAX_PLAYERS, NONE};
use crate::state::{Phase, RegionDebt, State};

/// Planes of each seat, in this order.
pub const SEAT_PLANES: usize = 7;
pub const CONTROLLED: usize = 0;
pub const HEIGHT: usize = 1;
pub const CAP: usize = 2;
pub const RINGS: usize = 3;
pub const HEIR_CAP: usize = 4;
pub const MARKER: usize = 5;
pub const COLLAPSED: usize = 6;

/// Planes of the whole board, after those of the seats.
pub const BOARD_PLANES: usize = 3;
pub const CELLS: usize = 0;
pub const ACTING: usize = 1;
pub const CLAIMABLE: usize = 2;

/// Counts of rings are divided by this: a tall stack is about 1.
pub const RING_SCALE: f32 = 8.0;

pub const fn count(players: usize) -> usize {
    SEAT_PLANES * players + BOARD_PLANES
}

/// What the planes tell of one stack. Seats are not rotated.
pub(super) struct Stack {
    pub cap: usize,
    /// Who controls it once the cap is gone, and with what cap.
    pub heir: Option<(usize, usize)>,
    /// Rings of each colour, at any depth.
    pub rings: [u16; MAX_PLAYERS],
}

impl Stack {
    #[inline]
    pub fn at<G: Geometry>(state: &State<G>, slot: usize) -> Stack {
        let mut rings = [0; MAX_PLAYERS];
        // Runs of one colour from the bottom: the last is the cap, the one before it the heir's.
        let (mut heir, mut colour, mut run) = (None, None, 0);
        for ring in state.stacks.rings(slot) {
            rings[ring] += 1;
            if colour != Some(ring) {
                heir = colour.map(|colour| (colour, run));
                (colour, run) = (Some(ring), 0);
            }
            run += 1;
        }
        Stack { cap: run, heir, rings }
    }
}

/// The stack that has to act: placed on this turn, just landed, or in a capture chain.
pub(super) fn acting<G: Geometry>(state: &State<G>) -> Option<usize> {
    let turn = &state.turn;
    let slot = [turn.chain_from, turn.capture_from, turn.must_move].into_iter().find(|slot| *slot != NONE);
    slot.map(usize::from)
}

/// Cells of the regions that the mover may claim now.
pub(super) fn claimable<G: Geometry>(state: &State<G>) -> G::Bits {
    let mut cells = G::Bits::EMPTY;
    if state.phase == Phase::TerritoryProcessing && state.turn.region_debt == RegionDebt::None {
        state.any_claimable(|region, _| {
            cells |= region;
            false
        });
    }
    cells
}

/// Writes the planes `[C, H, W]`, which must be zeroed.
pub fn write<G: Geometry>(state: &State<G>, frame: &Frame, planes: &mut [f32]) {
    let players = state.players();
    let area = G::BOARD.size() * G::BOARD.size();
    let first = |seat: usize| relative(state, seat) * SEAT_PLANES * area;
    for seat in 0..players {
        let own = first(seat);
        state.controlled[seat].for_each(|slot| {
            let at = frame.pixel(slot);
            let stack = Stack::at(state, slot);
            planes[own + CONTROLLED * area + at] = 1.0;
            planes[own + HEIGHT * area + at] = state.stacks.at(slot).height() as f32 / RING_SCALE;
            planes[own + CAP * area + at] = stack.cap as f32 / RING_SCALE;
            for (colour, rings) in stack.rings[..players].iter().enumerate() {
                planes[first(colour) + RINGS * area + at] = *rings as f32 / RING_SCALE;
            }
            if let Some((heir, cap)) = stack.heir {
                planes[first(heir) + HEIR_CAP * area + at] = cap as f32 / RING_SCALE;
            }
        });
        state.markers[seat].for_each(|slot| planes[own + MARKER * area + frame.pixel(slot)] = 1.0);
        state.collapsed[seat].for_each(|slot| planes[own + COLLAPSED * area + frame.pixel(slot)] = 1.0);
    }
    let board = players * SEAT_PLANES * area;
    G::CELLS.for_each(|slot| planes[board + CELLS * area + frame.pixel(slot)] = 1.0);
    if let Some(slot) = acting(state) {
        planes[board + ACTING * area + frame.pixel(slot)] = 1.0;
    }
    claimable(state).for_each(|slot| planes[board + CLAIMABLE * area + frame.pixel(slot)] = 1.0);
}
