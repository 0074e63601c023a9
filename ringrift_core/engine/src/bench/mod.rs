//! Measuring the engine on one core.
//!
//! All times are CPU time of the measuring thread: what one core does, also on a machine that is busy otherwise. On an
//! idle machine it is the wall time.

pub mod judges;
pub mod rules;
pub mod search;

use crate::board::Board;

pub use judges::{bench_judge, JudgeBench};
pub use rules::{bench_rules, RulesBench};
pub use search::{bench_orderings, bench_search, OrderingBench, SearchBench};

/// Every board with 2, 3 and 4 players.
pub fn configurations() -> Vec<(Board, usize)> {
    Board::ALL.into_iter().flat_map(|board| (2..=4).map(move |players| (board, players))).collect()
}
