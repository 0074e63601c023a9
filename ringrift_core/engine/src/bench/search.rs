//! Minimax measured: nodes per second in games against itself, and what each way of ordering moves
//! saves.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::board::{Board, Geometry};
use crate::drivers::session::random_opening;
use crate::error::Error;
use crate::moves::MoveList;
use crate::players::budget::Budget;
use crate::players::judge::Judge;
use crate::players::linear::Linear;
use crate::players::minimax::ordering::Ordering;
use crate::players::minimax::{self, Settings};
use crate::rng::{stream, Purpose};
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
    /// Decisions applied in the search, those that complete turns included.
    pub nodes: u64,
    pub nodes_per_second: f64,
    /// Plies of the last iteration that counted.
    pub mean_depth: f64,
}

/// Searches for about `seconds` (wall), `node_cap` nodes a decision; whole decisions, games one after the other.
pub fn bench_search<G: Geometry, J: Judge>(
    setup: Setup,
    judge: &J,
    node_cap: u64,
    seconds: f64,
    seed: u64,
) -> SearchBench {
    let budget = Budget::of_nodes(node_cap);
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
                let found =
                    minimax::search(&state, &list, judge, &Settings::BEST, &budget, &[], &AtomicBool::new(false));
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

/// Nodes of searches to a fixed depth with one way of ordering moves.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderingBench {
    /// How it differs from what measured best.
    pub way: &'static str,
    /// Mean nodes of a position.
    pub nodes: f64,
    /// The effective branching factor: the depth-th root of the mean nodes.
    pub branching: f64,
}

/// Counts nodes on positions of quick games of the search against itself: counts, so they repeat exactly.
pub fn bench_orderings(
    board: Board,
    players: usize,
    depth: u32,
    positions: usize,
    seed: u64,
) -> Result<Vec<OrderingBench>, Error> {
    let setup = Setup::new(board, players, Profile::Canonical)?;
    Ok(with_geometry!(board, G => count_nodes::<G>(setup, depth, positions, seed)))
}

fn count_nodes<G: Geometry>(setup: Setup, depth: u32, positions: usize, seed: u64) -> Vec<OrderingBench> {
    let judge = Linear::of_setting("baseline").unwrap_or_default();
    let best = Settings {
        // Only alpha-beta depends on the order of moves.
        variant: minimax::Variant::Paranoid,
        ..Settings::BEST
    };
    let sample = sample::<G>(setup, &judge, &best, positions, seed);
    let mut ways = vec![("as it plays", best)];
    for (name, ordering) in Ordering::SWITCHED {
        ways.push((name, Settings { ordering, ..best }));
    }
    ways.push(("without transposition table", Settings { table: false, ..best }));
    ways.push(("without any ordering", Settings { ordering: Ordering::NONE, ..best }));
    ways.push(("without ordering and table", Settings { ordering: Ordering::NONE, table: false, ..best }));
    let mut list = MoveList::new();
    let count = |(way, settings): (&'static str, Settings)| {
        let mut nodes = 0;
        for state in &sample {
            state.legal_moves(&mut list);
            let never = AtomicBool::new(false);
            nodes += minimax::search(state, &list, &judge, &settings, &Budget::of_depth(depth), &[], &never).nodes;
        }
        let nodes = nodes as f64 / sample.len() as f64;
        OrderingBench { way, nodes, branching: nodes.powf(1.0 / f64::from(depth)) }
    };
    ways.into_iter().map(count).collect()
}

/// Every fifth decision of games by searches of one ply after random openings.
pub fn sample<G: Geometry>(
    setup: Setup,
    judge: &Linear,
    settings: &Settings,
    positions: usize,
    seed: u64,
) -> Vec<State<G>> {
    let mut sample = Vec::with_capacity(positions);
    let mut list = MoveList::new();
    for game in 0.. {
        let mut state = State::<G>::new(setup);
        for one in random_opening::<G>(setup, &mut stream(seed, Purpose::Opening, game), OPENING_PLIES) {
            state.apply(one);
        }
        let mut decisions = 0;
        while state.outcome().is_none() {
            state.legal_moves(&mut list);
            let mut index = 0;
            if list.len() > 1 {
                if decisions % 5 == 0 && sample.len() < positions {
                    sample.push(state);
                }
                decisions += 1;
                let never = AtomicBool::new(false);
                index = minimax::search(&state, &list, judge, settings, &Budget::of_depth(1), &[], &never).index;
            }
            state.apply(list[index]);
        }
        if sample.len() >= positions {
            break;
        }
    }
    sample
}
