//! Players that need nothing but the rules.

use std::sync::atomic::AtomicBool;

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::budget::Budget;
use crate::players::choice::{Choice, Found};
use crate::players::completion::complete_turn;
use crate::players::heuristic::{self, Values, Weights};
use crate::players::memory::Memory;
use crate::players::{calibration, descent, mcts, minimax};
use crate::playout::Random;
use crate::rng;
use crate::state::State;

/// A player that needs nothing but the rules. Immutable: all its randomness comes from the game's generator.
#[derive(Clone, Debug)]
pub enum Player {
    /// Uniform over legal moves.
    Random,
    /// One decision of lookahead, the turn completed, on the linear evaluation.
    Heuristic { weights: Weights, noise: f32 },
    /// Minimax within a budget on the linear evaluation; without a variant, the strongest for the number of players.
    Minimax { weights: Weights, variant: Option<minimax::Variant>, budget: Budget, noise: f32 },
    /// Best-first minimax on the linear evaluation.
    Descent { weights: Weights, settings: descent::Settings },
    /// Monte-Carlo tree search with the linear evaluation as evaluator.
    Mcts { weights: Weights, settings: mcts::Settings },
}

impl Player {
    /// How long it takes over a decision, roughly, in evaluations of the heuristic.
    pub fn cost(&self) -> u64 {
        match self {
            Player::Random => 0,
            Player::Heuristic { .. } => 50,
            Player::Minimax { budget, .. } => {
                // About fifty moves a ply, of which alpha-beta tries the square root; a time says nothing of evaluations.
                let by_depth = budget.depth.map_or(u64::MAX, |depth| 50u64.saturating_pow(depth.div_ceil(2)));
                by_depth.min(budget.nodes.unwrap_or(1_000_000))
            }
            Player::Descent { settings, .. } => settings.budget.nodes.unwrap_or(100_000),
            // A simulation evaluates the moves of a leaf, some fifty.
            Player::Mcts { settings, .. } => 50 * settings.cost(),
        }
    }

    /// Chooses one of the legal moves, of which there must be one. A search that `stopped` interrupts returns its best so
    /// far. `memory` is the agent's own of this game.
    pub fn choose<G: Geometry>(
        &self,
        state: &State<G>,
        legal: &[Move],
        random: &mut Random,
        stopped: &AtomicBool,
        memory: &mut Memory<G>,
    ) -> Choice {
        if legal.len() == 1 {
            return Choice::unsearched(0);
        }
        match self {
            Player::Random => Choice::unsearched(random.below(legal.len())),
            Player::Heuristic { weights, noise } => {
                let mut list = MoveList::new();
                let mut nodes = legal.len() as u64;
                let evaluate = |one: &Move| {
                    let mut after = *state;
                    after.apply(*one);
                    nodes += complete_turn(&mut after, weights, &mut list);
                    heuristic::across(*one, heuristic::values(&after, weights))
                };
                let values: Vec<Values> = legal.iter().map(evaluate).collect();
                Choice::best(state, &values, nodes, *noise, random)
            }
            Player::Minimax { weights, variant, budget, noise } => {
                let players = state.players();
                let mut settings = minimax::Settings::new(*weights);
                settings.variant = variant.unwrap_or(settings.variant);
                let bonuses: Vec<f32> =
                    if *noise > 0.0 { legal.iter().map(|_| noise * rng::unit(random)).collect() } else { Vec::new() };
                let searched = minimax::search(state, legal, &settings, budget, &bonuses, stopped);
                let found = Found {
                    values: calibration::of(&state.setup).probabilities(&searched.values, players),
                    policy: calibration::of(&state.setup).policy(&searched.worths),
                    nodes: searched.nodes,
                    inner: Vec::new(),
                };
                Choice { index: searched.index, found: Some(found) }
            }
            Player::Descent { weights, settings } => {
                memory.descent().choose(state, legal, weights, settings, random, stopped)
            }
            Player::Mcts { weights, settings } => {
                let mut list = MoveList::new();
                let search = memory.mcts();
                search.begin(state, legal, *settings, random);
                while search.advance(stopped) == mcts::Step::Evaluate {
                    let Some((leaf, legal)) = search.leaf() else { break };
                    let evaluation = mcts::evaluation::by_heuristic(leaf, legal, weights, &mut list);
                    search.receive(evaluation);
                }
                search.choice()
            }
        }
    }
}
