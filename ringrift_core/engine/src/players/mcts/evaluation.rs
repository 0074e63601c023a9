//! What a search is told about a leaf, and the linear heuristic as its source.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::calibration::{softmax, DEFAULT};
use crate::players::completion::complete_turn;
use crate::players::heuristic::{self, across, Values, Weights, WON};
use crate::state::State;

/// An evaluator's answer for one leaf.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    /// Win probability of each seat, as seated at the leaf; 0 beyond the players.
    pub values: Values,
    /// One logit per legal move, in the order of the legal list; None for equal ones.
    pub logits: Option<Vec<f32>>,
    /// A legal move that is proven to win the game for the mover.
    pub winning: Option<usize>,
    /// Decisions applied to find this out.
    pub nodes: u64,
}

/// Evaluation by which a move is e times as likely as another in the prior.
pub const PRIOR_TEMPERATURE: f32 = 0.4;

/// The heuristic's evaluation: every legal move is tried and its turn completed. The best one's probabilities are the
/// value, all of them together the prior.
pub fn by_heuristic<G: Geometry>(
    state: &State<G>,
    legal: &[Move],
    weights: &Weights,
    list: &mut MoveList,
) -> Evaluation {
    let (mover, players) = (state.mover(), state.players());
    let mut best: (usize, Values) = (0, [f32::NEG_INFINITY; 4]);
    let mut logits = Vec::with_capacity(legal.len());
    for (index, one) in legal.iter().enumerate() {
        let mut after = *state;
        after.apply(*one);
        complete_turn(&mut after, weights, list);
        let values = across(*one, heuristic::values(&after, weights));
        logits.push(values[mover] / PRIOR_TEMPERATURE);
        if values[mover] > best.1[mover] {
            best = (index, values);
        }
    }
    Evaluation {
        values: DEFAULT.probabilities(&best.1, players),
        logits: Some(logits),
        winning: (best.1[mover] >= WON).then_some(best.0),
        nodes: legal.len() as u64,
    }
}

/// Softmax of logits.
pub fn shares(logits: &[f32]) -> Vec<f32> {
    let mut shares = vec![0.0; logits.len()];
    softmax(logits, 1.0, &mut shares);
    shares
}
