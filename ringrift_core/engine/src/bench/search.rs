//! Speed of minimax search: nodes per second in games against itself at the ladder's node cap.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::board::{Board, Geometry};
use crate::drivers::rng::{stream, Purpose};
use crate::drivers::session::random_opening;
use crate::error::Error;
use crate::moves::MoveList;
use crate::players::budget::Budget;
use crate::players::heuristic;
use crate::players::minimax::{self, Settings};
use crate::setup::{Profile, Setup};
use crate::state::State;
use crate::with_geometry;

/// Random decisions before the search takes over.
const OPENING_PLIES: usize = 6;

/// Figures of one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchBench {
    pub games: u64,
    /// Searched moves.
    pub decisions: u64,
    /// Decisions applied in the search, those that order moves and complete turns included.
    pub nodes: u64,
    pub nodes_per_second: f64,
    /// Plies of the last iteration that counted.
    pub mean_depth: f64,
}

/// Searches for about `seconds` (wall), the weights being the hand-set ones; whole decisions, games one after the other.
pub fn bench_search(board: Board, players: usize, seconds: f64, seed: u64) -> Result<SearchBench, Error> {
    let setup = Setup::new(board, players, Profile::Canonical)?;
    Ok(with_geometry!(board, G => bench_board::<G>(setup, seconds, seed)))
}

fn bench_board<G: Geometry>(setup: Setup, seconds: f64, seed: u64) -> SearchBench {
    let settings = Settings::new(heuristic::setting("baseline").unwrap_or_default(), setup.players());
    let budget = Budget::of_nodes(minimax::node_cap(G::BOARD));
    let (start, clock, time) = (Instant::now(), ThreadTime::now(), Duration::from_secs_f64(seconds));
    let (mut games, mut decisions, mut nodes, mut depths) = (0, 0, 0, 0);
    let mut list = MoveList::new();
    while start.elapsed() < time {
        let mut state = State::<G>::new(setup);
        for one in random_opening::<G>(setup, &mut stream(seed, Purpose::Opening, games), OPENING_PLIES) {
            state.apply(one);
        }
        games += 1;
        while start.elapsed() < time && state.outcome().is_none() {
            state.legal_moves(&mut list);
            let mut index = 0;
            if list.len() > 1 {
                let found = minimax::search(&state, &list, &settings, &budget, &[], &AtomicBool::new(false));
                (index, nodes, depths) = (found.index, nodes + found.nodes, depths + u64::from(found.depth));
                decisions += 1;
            }
            state.apply(list[index]);
        }
    }
    SearchBench {
        games,
        decisions,
        nodes,
        nodes_per_second: nodes as f64 / clock.elapsed().as_secs_f64(),
        mean_depth: depths as f64 / decisions.max(1) as f64,
    }
}
