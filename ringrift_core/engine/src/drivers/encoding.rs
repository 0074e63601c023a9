//! What a network sees of a position: planes over a square array, and global features. docs/encoding.md lists them.
//!
//! Everything is rotated so that the seat to move is seat 0, the next one seat 1, and so on. Hexagonal boards lie in the
//! square array of side 2 radius + 1; cells outside the hexagon are 0 in every plane, the mask plane included.

use crate::bits::Bits;
use crate::board::{Board, Geometry, NONE};
use crate::state::{Phase, RegionDebt, State};

/// Raised when the meaning of any number changes: a network reads the encoding it was trained on.
pub const ENCODING_VERSION: u32 = 1;

/// Planes of each seat: controlled stacks, their height, their cap, rings of the seat's colour at any depth, the seat that
/// takes over when the cap goes, markers, collapsed cells.
const SEAT_PLANES: usize = 7;
/// Planes of the whole board: real cells; the stack that must act (placed on, or capturing).
const BOARD_PLANES: usize = 2;
/// Global features of each seat: hand / Q, E / E*, T / T*, recovery-eligible, solo rounds / 3.
const SEAT_GLOBALS: usize = 5;
/// Phases in which somebody decides: all but `game_over`.
const PHASES: usize = 7;
/// Other global features: ring owed for a line, cap owed, buried ring owed, recovered this turn, swap on offer.
const FLAG_GLOBALS: usize = 5;

/// Heights and caps are divided by this: a tall stack is about 1.
const HEIGHT_SCALE: f32 = 8.0;

/// The shape of one encoded position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    pub planes: usize,
    /// Height and width of the array.
    pub side: usize,
    pub globals: usize,
}

impl Shape {
    pub const fn of(board: Board, players: usize) -> Shape {
        Shape {
            planes: SEAT_PLANES * players + BOARD_PLANES,
            side: board.size(),
            globals: SEAT_GLOBALS * players + PHASES + FLAG_GLOBALS,
        }
    }

    /// Numbers in the planes of one position.
    pub const fn plane_len(self) -> usize {
        self.planes * self.side * self.side
    }
}

/// Writes one position. Both slices must be zeroed and of the shape's lengths.
pub fn encode<G: Geometry>(state: &State<G>, planes: &mut [f32], globals: &mut [f32]) {
    encode_planes(state, planes);
    encode_globals(state, globals);
}

/// The place of a slot in the square array.
#[inline(always)]
fn pixel<G: Geometry>(slot: usize) -> usize {
    let (tables, radius) = (G::tables(), G::BOARD.radius());
    (tables.y[slot] as i32 + radius) as usize * G::BOARD.size() + (tables.x[slot] as i32 + radius) as usize
}

fn encode_planes<G: Geometry>(state: &State<G>, planes: &mut [f32]) {
    let (players, mover) = (state.players(), state.mover());
    let area = G::BOARD.size() * G::BOARD.size();
    let relative = |seat: usize| (seat + players - mover) % players;
    for seat in 0..players {
        let first = relative(seat) * SEAT_PLANES * area;
        state.controlled[seat].for_each(|slot| {
            let at = pixel::<G>(slot);
            let cap = state.stacks.cap(slot);
            planes[first + at] = 1.0;
            planes[first + area + at] = state.stacks.at(slot).height() as f32 / HEIGHT_SCALE;
            planes[first + 2 * area + at] = cap as f32 / HEIGHT_SCALE;
            let mut below_cap = None;
            let covered = state.stacks.at(slot).height() - cap;
            for (depth, colour) in state.stacks.rings(slot).enumerate() {
                planes[(relative(colour) * SEAT_PLANES + 3) * area + at] += 1.0 / HEIGHT_SCALE;
                if depth + 1 == covered {
                    below_cap = Some(colour);
                }
            }
            if let Some(heir) = below_cap {
                planes[(relative(heir) * SEAT_PLANES + 4) * area + at] = 1.0;
            }
        });
        state.markers[seat].for_each(|slot| planes[first + 5 * area + pixel::<G>(slot)] = 1.0);
        state.collapsed[seat].for_each(|slot| planes[first + 6 * area + pixel::<G>(slot)] = 1.0);
    }
    let board = players * SEAT_PLANES * area;
    G::CELLS.for_each(|slot| planes[board + pixel::<G>(slot)] = 1.0);
    let acting = [state.turn.chain_from, state.turn.capture_from, state.turn.must_move];
    if let Some(slot) = acting.into_iter().find(|slot| *slot != NONE) {
        planes[board + area + pixel::<G>(slot as usize)] = 1.0;
    }
}

fn encode_globals<G: Geometry>(state: &State<G>, globals: &mut [f32]) {
    let (players, mover, board) = (state.players(), state.mover(), G::BOARD);
    for offset in 0..players {
        let seat = (mover + offset) % players;
        let tracker = &state.record.tracker;
        let solo = if tracker.solo_seat as usize == seat { tracker.solo_count as f32 / 3.0 } else { 0.0 };
        globals[offset * SEAT_GLOBALS..][..SEAT_GLOBALS].copy_from_slice(&[
            state.hand[seat] as f32 / board.rings_per_player() as f32,
            state.credited[seat] as f32 / board.elimination_target(players) as f32,
            state.territory[seat] as f32 / board.territory_minimum(players) as f32,
            state.is_recovery_eligible(seat) as u8 as f32,
            solo,
        ]);
    }
    let rest = &mut globals[players * SEAT_GLOBALS..];
    if state.phase != Phase::GameOver {
        rest[state.phase as usize] = 1.0;
    }
    let turn = &state.turn;
    let swap_offered = state.phase == Phase::RingPlacement && state.may_swap();
    rest[PHASES..].copy_from_slice(
        &[
            turn.line_debt,
            turn.region_debt == RegionDebt::Cap,
            turn.region_debt == RegionDebt::Buried,
            turn.recovered,
            swap_offered,
        ]
        .map(|flag| flag as u8 as f32),
    );
}
