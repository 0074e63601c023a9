//! Properties of the encoding over seeded random games of every board, player count and profile.

mod batches;
mod exact;
mod input;
mod policy;
mod rows;

use crate::board::{Board, Geometry};
use crate::moves::{Move, MoveList};
use crate::playout::Random;
use crate::setup::{Profile, Setup};
use crate::state::{Phase, State};

/// Every board, player count and profile; the pie rule with two players.
fn setups() -> Vec<Setup> {
    let mut setups = Vec::new();
    for board in Board::ALL {
        for players in 2..=4 {
            for profile in [Profile::Canonical, Profile::Deployed] {
                setups.push(Setup::new(board, players, profile).expect("2 to 4 players").with_swap(players == 2));
            }
        }
    }
    setups
}

fn canonical() -> impl Iterator<Item = Setup> {
    setups().into_iter().filter(|setup| setup.profile() == Profile::Canonical)
}

/// Random games per setup: more on the small boards.
fn games(setup: Setup) -> u64 {
    if setup.board().cells() < 100 {
        30
    } else {
        2
    }
}

/// A whole random game: every state with its legal moves, the final one with none.
fn random_game<G: Geometry>(setup: Setup, seed: u64, mut visit: impl FnMut(&State<G>, &[Move])) {
    let (mut state, mut random, mut list) = (State::<G>::new(setup), Random::new(seed), MoveList::new());
    loop {
        state.legal_moves(&mut list);
        visit(&state, &list);
        if list.is_empty() {
            return;
        }
        state.apply(list[random.below(list.len())]);
    }
}

/// Is the position one of note D12, which symmetries need not preserve?
fn has_axis_tie<G: Geometry>(state: &State<G>) -> bool {
    state.phase == Phase::Movement && state.is_recovery_eligible(state.mover()) && state.has_axis_tie()
}
