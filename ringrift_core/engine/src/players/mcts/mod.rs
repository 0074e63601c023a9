//! Monte-Carlo tree search for two to four players, with PUCT (Silver et al., "A general reinforcement learning algorithm
//! that masters chess, shogi, and Go through self-play", 2018) or Gumbel search (Danihelka et al., "Policy improvement by
//! planning with Gumbel", ICLR 2022).
//!
//! Values are win probabilities, one per seat; whoever moves at a node maximises its own. `swap_sides` exchanges agents, so
//! values pass it with seats 1 and 2 exchanged. Forced moves are played through: at every node somebody decides, or the
//! game is decided. What is decided has its exact value, and proofs climb the tree (Winands, Björnsson and Saito,
//! "Monte-Carlo Tree Search Solver", 2008).
//!
//! A search never evaluates by itself: `Search::advance` has its leaves evaluated by a `LeafJudge`, and stops at one that has
//! to be asked for; `Search::receive` takes the answer. So the leaves of many games are evaluated in one batch, and a game
//! does not depend on what it is batched with.

use crate::players::budget::Budget;

pub mod evaluation;
mod gumbel;
mod puct;
mod search;
#[cfg(test)]
mod tests;
mod tree;

pub use evaluation::{Evaluation, LeafJudge, Prior};
pub use gumbel::draws as gumbel_draws;
pub use search::Search;

/// How a search decides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    pub variant: Variant,
    /// Simulations, nodes and time of each decision, added to what is kept of the tree; depth means nothing here.
    pub budget: Budget,
    /// Exploration at the root, for self-play; 0 searches for the best move. PUCT: share of Dirichlet noise in the prior
    /// (AlphaZero's is 0.25). Gumbel: scale of the Gumbel noise (1 as published).
    pub noise: f32,
    /// Decisions that are searched less; None searches all alike.
    pub fast: Option<Fast>,
}

/// In self-play most decisions are made fast, and say nothing of a policy: games finish sooner, so that there are more
/// outcomes to learn from, while policies come from deep searches alone (D. J. Wu, "Accelerating self-play learning in Go",
/// 2019, section 3.1).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fast {
    /// Of the decisions, drawn one by one.
    pub share: f32,
    pub simulations: u64,
}

impl Settings {
    /// How long a decision takes, roughly, in evaluations of one position.
    pub fn cost(&self) -> u64 {
        let deep = self.budget.simulations.unwrap_or(1000);
        self.fast.map_or(deep, |fast| (deep as f32 + fast.share * (fast.simulations as f32 - deep as f32)) as u64)
    }
}

/// Which search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    Puct,
    /// The root considers at most this many moves.
    Gumbel {
        considered: usize,
    },
}
