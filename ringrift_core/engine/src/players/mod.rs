//! Players: how a seat chooses among its legal moves.

pub mod completion;
pub mod descent;
pub mod features;
pub mod heuristic;

use crate::board::Geometry;
use crate::drivers::rng;
use crate::moves::{Move, MoveList};
use crate::playout::Random;
use crate::state::State;
use completion::complete_turn;
use heuristic::Weights;

/// A player that needs nothing but the rules. Immutable: all its randomness comes from the game's generator.
#[derive(Clone, Debug)]
pub enum Player {
    /// Uniform over legal moves.
    Random,
    /// One decision of lookahead, the turn completed, on the linear evaluation.
    Heuristic { weights: Weights, noise: f32 },
    /// Best-first minimax of at most `nodes` nodes a decision on the linear evaluation.
    Descent { weights: Weights, nodes: usize, noise: f32 },
}

impl Player {
    /// Index of the chosen move in `legal`, which must not be empty.
    pub fn choose<G: Geometry>(&self, state: &State<G>, legal: &[Move], random: &mut Random) -> usize {
        if legal.len() == 1 {
            return 0;
        }
        match self {
            Player::Random => random.below(legal.len()),
            Player::Heuristic { weights, noise } => {
                let mut list = MoveList::new();
                best_by(legal, *noise, random, |one| {
                    let mut after = *state;
                    after.apply(one);
                    complete_turn(&mut after, weights, &mut list);
                    heuristic::values(&after, weights)[heuristic::seat_after(state, one)]
                })
            }
            Player::Descent { weights, nodes, noise } => {
                let values = descent::search(state, legal, weights, *nodes);
                let mut values = values.into_iter();
                best_by(legal, *noise, random, |_| values.next().unwrap_or(f32::NEG_INFINITY))
            }
        }
    }
}

/// Index of the move of highest value; `noise` times a uniform draw is added to each. Ties go to the earlier move.
pub fn best_by(legal: &[Move], noise: f32, random: &mut Random, mut value: impl FnMut(Move) -> f32) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, one) in legal.iter().enumerate() {
        let mut worth = value(*one);
        if noise > 0.0 {
            worth += noise * rng::unit(random);
        }
        if worth > best.1 {
            best = (index, worth);
        }
    }
    best.0
}

/// Plays the bookkeeping moves that are the only legal ones, so that somebody decides or the game is over.
pub fn settle<G: Geometry>(state: &mut State<G>, list: &mut MoveList) {
    loop {
        state.legal_moves(list);
        match list[..] {
            [only] if only.kind().is_automatic() => state.apply(only),
            _ => return,
        }
    }
}
