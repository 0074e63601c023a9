//! What positions are worth to the seats, as all searches have it; and the values that need no judge, those of decided games.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::moves::{Move, MoveKind};
use crate::state::State;

/// One value per seat, higher is better for it; 0 beyond the number of players.
pub type Values = [f32; MAX_PLAYERS];

/// Value of a won game; far beyond any judge's estimate of a game that goes on.
pub const WON: f32 = 1000.0;

/// Values of a game that is over, or will be when the mover's turn ends because a target is met (R170, R171): only the
/// mover can newly meet one, and nothing in the rest of the turn takes it back.
pub fn decided_values<G: Geometry>(state: &State<G>) -> Option<Values> {
    let players = state.players();
    let mut values = [0.0; MAX_PLAYERS];
    if let Some(outcome) = state.outcome() {
        for (seat, value) in values.iter_mut().enumerate().take(players) {
            let rank = outcome.ranks[seat] as f32;
            *value = if seat == outcome.winner { WON } else { -WON * (rank - 1.0) / (players - 1) as f32 };
        }
        return Some(values);
    }
    let mover = state.mover();
    if !has_met_a_target(state, mover) {
        return None;
    }
    values[..players].fill(-WON);
    values[mover] = WON;
    Some(values)
}

fn has_met_a_target<G: Geometry>(state: &State<G>, seat: usize) -> bool {
    let players = state.players();
    let territory = state.territory[seat] as u32;
    let others: u32 = state.territory[..players].iter().map(|cells| *cells as u32).sum::<u32>() - territory;
    state.credited[seat] as u32 >= G::BOARD.elimination_target(players)
        || territory >= G::BOARD.territory_minimum(players) && territory > others
}

/// Values below a move, in the seats above it.
#[inline]
pub fn across(one: Move, mut values: Values) -> Values {
    if one.kind() == MoveKind::SwapSides {
        values.swap(0, 1);
    }
    values
}

/// The seat at which the mover's agent sits after the move: `swap_sides` exchanges agents, not pieces (section 10).
#[inline]
pub fn seat_after<G: Geometry>(state: &State<G>, one: Move) -> usize {
    if one.kind() == MoveKind::SwapSides {
        1 - state.mover()
    } else {
        state.mover()
    }
}

/// Win probabilities of a decided game, from its values: all of it to the winner.
pub fn certain(values: &Values) -> Values {
    values.map(|value| (value >= WON) as u8 as f32)
}

/// The values of a win that is not searched further: who would come second is left open.
pub fn won_by(seat: usize, players: usize) -> Values {
    let mut values = [0.0; MAX_PLAYERS];
    values[..players].fill(-WON);
    values[seat] = WON;
    values
}
