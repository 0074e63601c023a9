//! The global features of a position: what no cell can say.

use half::f16;

use crate::board::{Geometry, MAX_PLAYERS};
use crate::state::{Phase, RegionDebt, State};

/// Features of each seat.
const SEAT_GLOBALS: usize = 9;
/// Phases in which somebody decides: all but `game_over`.
const PHASES: usize = 7;
/// Flags of the turn.
const FLAGS: usize = 8;
/// Solo rounds that win the game; the deployed profile counts on beyond them.
const SOLO_ROUNDS: u16 = 3;

pub const fn count(players: usize) -> usize {
    SEAT_GLOBALS * players + PHASES + FLAGS
}

/// Writes the global features `[G]`, which must be zeroed. Every number is one of float16, as datasets keep them.
pub fn write<G: Geometry>(state: &State<G>, globals: &mut [f32]) {
    let players = state.players();
    for offset in 0..players {
        let seat = (state.mover() + offset) % players;
        globals[offset * SEAT_GLOBALS..][..SEAT_GLOBALS].copy_from_slice(&of_seat(state, seat));
    }
    let rest = &mut globals[players * SEAT_GLOBALS..];
    if state.phase != Phase::GameOver {
        rest[state.phase as usize] = 1.0;
    }
    rest[PHASES..].copy_from_slice(&flags(state).map(f32::from));
    globals.iter_mut().for_each(|number| *number = f16::from_f32(*number).to_f32());
}

fn of_seat<G: Geometry>(state: &State<G>, seat: usize) -> [f32; SEAT_GLOBALS] {
    debug_assert!(seat < MAX_PLAYERS);
    let (players, board, tracker) = (state.players(), G::BOARD, &state.record.tracker);
    let rings = board.rings_per_player() as f32;
    let solo = if tracker.solo_seat as usize == seat { tracker.solo_count.min(SOLO_ROUNDS) } else { 0 };
    let mark = tracker.marks[seat];
    [
        state.hand[seat] as f32 / rings,
        state.on_board[seat] as f32 / rings,
        state.credited[seat] as f32 / board.elimination_target(players) as f32,
        state.territory[seat] as f32 / board.territory_minimum(players) as f32,
        f32::from(state.is_recovery_eligible(seat)),
        solo as f32 / SOLO_ROUNDS as f32,
        f32::from(tracker.leader as usize == seat),
        f32::from(mark.set && mark.available),
        f32::from(mark.set && mark.taken),
    ]
}

fn flags<G: Geometry>(state: &State<G>) -> [bool; FLAGS] {
    let turn = &state.turn;
    [
        turn.line_debt,
        turn.region_debt == RegionDebt::Cap,
        turn.region_debt == RegionDebt::Buried,
        turn.recovered,
        turn.changed,
        turn.real_available,
        turn.real_taken,
        state.phase == Phase::RingPlacement && state.may_swap(),
    ]
}
