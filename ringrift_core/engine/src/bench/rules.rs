//! Speed of the rules: random play to the end, and its parts alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

use crate::board::{Board, Geometry, Hex8, Hexagonal, Square19, Square8};
use crate::error::Error;
use crate::moves::{Move, MoveList};
use crate::playout::{Playout, Random};
use crate::setup::{Profile, Setup};
use crate::state::{Phase, State};

/// Figures of one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct RulesBench {
    /// Such as `square8-2p`.
    pub configuration: String,
    pub games: u64,
    /// Recorded moves per second in random play, the full legal list built at every step, bookkeeping included.
    pub moves_per_second: f64,
    /// Moves chosen among two or more, per second of the same play.
    pub decisions_per_second: f64,
    /// Mean nanoseconds over the positions of random games.
    pub legal_moves_ns: f64,
    pub apply_ns: f64,
    pub clone_ns: f64,
    /// Mean length of the legal list.
    pub legal_moves_mean: f64,
    pub state_bytes: usize,
}

/// Measures one configuration for about `seconds` (wall) of random play, then its parts on games of the same seeds.
pub fn bench_rules(board: Board, players: usize, seconds: f64, seed: u64) -> Result<RulesBench, Error> {
    let setup = Setup::new(board, players, Profile::Canonical)?;
    Ok(match board {
        Board::Square8 => bench_board::<Square8>(setup, seconds, seed),
        Board::Hex8 => bench_board::<Hex8>(setup, seconds, seed),
        Board::Square19 => bench_board::<Square19>(setup, seconds, seed),
        Board::Hexagonal => bench_board::<Hexagonal>(setup, seconds, seed),
    })
}

fn bench_board<G: Geometry>(setup: Setup, seconds: f64, seed: u64) -> RulesBench {
    let (games, playout, elapsed) = play_for::<G>(setup, seconds, seed);
    let parts = Parts::measure(&sample::<G>(setup, seed));
    RulesBench {
        configuration: format!("{}-{}p", G::BOARD.name(), setup.players()),
        games,
        moves_per_second: playout.moves as f64 / elapsed,
        decisions_per_second: playout.decisions as f64 / elapsed,
        legal_moves_ns: parts.legal_moves,
        apply_ns: parts.apply,
        clone_ns: parts.clone,
        legal_moves_mean: parts.list_length,
        state_bytes: std::mem::size_of::<State<G>>(),
    }
}

/// Whole random games until the time is up: (games, moves, CPU seconds).
fn play_for<G: Geometry>(setup: Setup, seconds: f64, seed: u64) -> (u64, Playout, f64) {
    let mut random = Random::new(seed);
    let mut list = MoveList::new();
    let (mut games, mut total) = (0, Playout::default());
    let (start, clock) = (Instant::now(), ThreadTime::now());
    let budget = Duration::from_secs_f64(seconds);
    while games == 0 || start.elapsed() < budget {
        let mut state = State::<G>::new(setup);
        let playout = state.play_randomly(&mut random, u64::MAX, &mut list);
        total.moves += playout.moves;
        total.decisions += playout.decisions;
        games += 1;
    }
    (games, total, clock.elapsed().as_secs_f64())
}

/// Positions of a few random games, each with the move that was played there.
fn sample<G: Geometry>(setup: Setup, seed: u64) -> Vec<(State<G>, Move)> {
    const POSITIONS: usize = 2_000;
    let mut random = Random::new(seed);
    let mut list = MoveList::new();
    let mut positions = Vec::with_capacity(POSITIONS);
    while positions.len() < POSITIONS {
        let mut state = State::<G>::new(setup);
        while state.phase() != Phase::GameOver && positions.len() < POSITIONS {
            state.legal_moves(&mut list);
            let one = list[random.below(list.len())];
            positions.push((state, one));
            state.apply(one);
        }
    }
    positions
}

/// Mean nanoseconds of each part.
struct Parts {
    legal_moves: f64,
    apply: f64,
    clone: f64,
    list_length: f64,
}

impl Parts {
    fn measure<G: Geometry>(positions: &[(State<G>, Move)]) -> Parts {
        let mut list = MoveList::new();
        let mut length = 0;
        for (state, _) in positions {
            state.legal_moves(&mut list);
            length += list.len();
        }
        let legal_moves = mean_ns(positions, |(state, _)| {
            state.legal_moves(&mut list);
            black_box(list.len());
        });
        let mut copy = positions[0].0;
        let clone = mean_ns(positions, |(state, _)| {
            copy = *state;
            black_box(&mut copy);
        });
        let clone_and_apply = mean_ns(positions, |(state, one)| {
            copy = *state;
            copy.apply(*one);
            black_box(&mut copy);
        });
        Parts {
            legal_moves,
            apply: (clone_and_apply - clone).max(0.0),
            clone,
            list_length: length as f64 / positions.len() as f64,
        }
    }
}

fn mean_ns<T>(items: &[T], mut act: impl FnMut(&T)) -> f64 {
    const ROUNDS: usize = 20;
    let clock = ThreadTime::now();
    for _ in 0..ROUNDS {
        items.iter().for_each(&mut act);
    }
    clock.elapsed().as_nanos() as f64 / (ROUNDS * items.len()) as f64
}
