//! What a search is told about a leaf, and judges as its source.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::moves::{Move, MoveList};
use crate::players::calibration::softmax;
use crate::players::completion::try_all;
use crate::players::judge::{Judge, Sight};
use crate::players::values::{Values, WON};
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
    /// Of a judge's values, one ply ahead.
    OnePly(Vec<f32>),
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
            Prior::OnePly(_) => 0.2,
            // Wu, "Accelerating self-play learning in Go", 2019: -0.2 for values between -1 and 1.
            Prior::Policy(_) => -0.1,
        }
    }

    /// The logits of `moves` moves.
    pub fn into_logits(self, moves: usize) -> Vec<f32> {
        match self {
            Prior::Uniform => vec![0.0; moves],
            Prior::OnePly(logits) | Prior::Policy(logits) => logits,
        }
    }
}

/// Who evaluates leaves.
pub trait LeafJudge<G: Geometry> {
    /// What is said of a leaf, of which `legal` are the moves; None where it has to be asked for.
    fn evaluate(&mut self, leaf: &State<G>, legal: &[Move], list: &mut MoveList) -> Option<Evaluation>;
}

/// A judge looks one ply ahead: every legal move is tried and its turn completed. The best one's probabilities are the
/// value, all of them together the prior.
impl<G: Geometry, J: Judge> LeafJudge<G> for Sight<'_, G, J> {
    fn evaluate(&mut self, leaf: &State<G>, legal: &[Move], list: &mut MoveList) -> Option<Evaluation> {
        let (mover, players) = (leaf.mover(), leaf.players());
        let calibration = self.judge.leaf_calibration(&leaf.setup);
        let mut best: (usize, Values) = (0, [f32::NEG_INFINITY; MAX_PLAYERS]);
        let mut logits = Vec::with_capacity(legal.len());
        let nodes = try_all(leaf, legal, self, list, |index, _, values| {
            logits.push(values[mover] / calibration.temperature);
            if values[mover] > best.1[mover] {
                best = (index, values);
            }
        });
        Some(Evaluation {
            values: calibration.probabilities(&best.1, players),
            prior: Prior::OnePly(logits),
            winning: (best.1[mover] >= WON).then_some(best.0),
            nodes,
        })
    }
}

/// Softmax of logits.
pub fn shares(logits: &[f32]) -> Vec<f32> {
    let mut shares = vec![0.0; logits.len()];
    softmax(logits, 1.0, &mut shares);
    shares
}
