//! Who decides: a player by itself, or with a network that is asked.

use crate::players::heuristic::Weights;
use crate::players::{mcts, Player};

/// Who can sit at a seat.
#[derive(Clone, Debug)]
pub enum Agent {
    /// Decides by itself.
    Native(Player),
    /// Decides by the values that evaluator number `evaluator` gives the positions after its moves.
    Network { evaluator: usize, noise: f32 },
    /// Searches with the values of evaluator number `evaluator`; the prior comes from the linear heuristic of `weights`,
    /// or is uniform.
    Mcts { evaluator: usize, weights: Option<Weights>, settings: mcts::Settings },
}

impl Agent {
    /// Does the agent ask an evaluator?
    pub fn asks(&self) -> bool {
        !matches!(self, Agent::Native(_))
    }

    /// How long it takes over a decision, roughly, in evaluations of the heuristic: to begin the longest games first.
    pub fn cost(&self) -> u64 {
        match self {
            Agent::Native(player) => player.cost(),
            Agent::Network { .. } => 1000,
            Agent::Mcts { settings, .. } => 20 * settings.cost(),
        }
    }
}
