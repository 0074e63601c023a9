//! A decision, and what its search found.

use crate::moves::Move;
use crate::players::values::Values;
use crate::playout::Random;
use crate::rng;

/// A decision, and what was found out on the way to it.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    /// Of the chosen move in the legal list.
    pub index: usize,
    /// None where nothing was searched: a forced or a random move.
    pub found: Option<Found>,
}

/// What a search found at its root: targets of training.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Win probability of the agent at each seat, as seated before the decision; sums to 1.
    pub values: Values,
    /// Share of each legal move, in the order of the legal list; sums to 1.
    pub policy: Vec<f32>,
    /// Decisions applied (training.md: search nodes).
    pub nodes: u64,
    /// Positions of the tree, where the player was asked to tell them.
    pub inner: Vec<Inner>,
}

/// What a search found at a position below its root.
#[derive(Clone, PartialEq, Debug)]
pub struct Inner {
    /// Recorded moves from the root to the position, forced ones included.
    pub moves: Vec<Move>,
    /// Win probability of each seat, as seated at the position.
    pub values: Values,
}

impl Choice {
    /// A choice that nothing was searched for.
    pub fn unsearched(index: usize) -> Choice {
        Choice { index, found: None }
    }
}

/// Index of the highest worth; `noise` times a uniform draw is added to each. Ties go to the earlier move.
pub fn best_by(worths: &[f32], noise: f32, random: &mut Random) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, worth) in worths.iter().enumerate() {
        let mut worth = *worth;
        if noise > 0.0 {
            worth += noise * rng::unit(random);
        }
        if worth > best.1 {
            best = (index, worth);
        }
    }
    best.0
}
