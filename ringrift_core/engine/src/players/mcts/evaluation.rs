//! What a search is told about a leaf, and the linear heuristic as its source.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::calibration::{softmax, Calibration};
use crate::players::completion::complete_turn;
use crate::players::heuristic::{self, across, Values, Weights, WON};
use crate::state::State;

/// An evaluator's answer for one leaf.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    /// Win probability of each seat, as seated at the leaf; 0 beyond the players.
    pub values: Values,
    pub prior: Prior,
    /// A legal move that is proven to win the game for the mover.
    pub winning: Option<usize>,
    /// Decisions applied to find this out.
    pub nodes: u64,
}

/// What is thought of the moves before any is searched: one logit for each, in the order of the legal list.
#[derive(Clone, PartialEq, Debug)]
pub enum Prior {
    Uniform,
    /// Of the linear heuristic, one ply ahead.
    Heuristic(Vec<f32>),
    /// Of a trained policy.
    Policy(Vec<f32>),
}

impl Prior {
    /// First-play urgency of PUCT: an unvisited move counts as its node's mean, plus this times the root of the prior that
    /// was visited.
    pub fn first_play(&self) -> f32 {
        match self {
            Prior::Uniform => 0.0,
            // A leaf's value sees a ply further than this prior, so a first visit tells much (docs/players.md).
            Prior::Heuristic(_) => 0.2,
            // Wu, "Accelerating self-play learning in Go", 2019: -0.2 for values between -1 and 1.
            Prior::Policy(_) => -0.1,
        }
    }

    /// The logits of `moves` moves.
    pub fn into_logits(self, moves: usize) -> Vec<f32> {
        match self {
            Prior::Uniform => vec![0.0; moves],
            Prior::Heuristic(logits) | Prior::Policy(logits) => logits,
        }
    }
}

/// Sharper than the odds that evaluations deserve (calibration.rs): a search has to tell its leaves apart.
const LEAF: Calibration = Calibration { scale: 2.0, temperature: PRIOR_TEMPERATURE };
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
    let mut nodes = legal.len() as u64;
    for (index, one) in legal.iter().enumerate() {
        let mut after = *state;
        after.apply(*one);
        nodes += complete_turn(&mut after, weights, list);
        let values = across(*one, heuristic::values(&after, weights));
        logits.push(values[mover] / PRIOR_TEMPERATURE);
        if values[mover] > best.1[mover] {
            best = (index, values);
        }
    }
    Evaluation {
        values: LEAF.probabilities(&best.1, players),
        prior: Prior::Heuristic(logits),
        winning: (best.1[mover] >= WON).then_some(best.0),
        nodes,
    }
}

/// Softmax of logits.
pub fn shares(logits: &[f32]) -> Vec<f32> {
    let mut shares = vec![0.0; logits.len()];
    softmax(logits, 1.0, &mut shares);
    shares
}
