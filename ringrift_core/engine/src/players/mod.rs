//! Players: how a seat chooses among its legal moves.

pub mod budget;
pub mod calibration;
pub mod completion;
pub mod descent;
pub mod features;
pub mod heuristic;
#[cfg(test)]
mod known_answers;
pub mod mcts;
pub mod memory;
pub mod minimax;

use std::sync::atomic::AtomicBool;

use crate::board::Geometry;
use crate::drivers::rng;
use crate::moves::{Move, MoveList};
use crate::playout::Random;
use crate::state::State;
use budget::Budget;
use completion::complete_turn;
use heuristic::{Values, Weights};
use memory::Memory;

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

    /// The best of evaluated moves: `values` holds those of every legal move, seats as before it.
    fn best<G: Geometry>(state: &State<G>, values: &[Values], nodes: u64, noise: f32, random: &mut Random) -> Choice {
        let (mover, players) = (state.mover(), state.players());
        let calibration = calibration::of(&state.setup);
        let worths: Vec<f32> = values.iter().map(|values| values[mover]).collect();
        let index = best_by(&worths, noise, random);
        let found = Found {
            values: calibration.probabilities(&values[best_by(&worths, 0.0, random)], players),
            policy: calibration.policy(&worths),
            nodes,
            inner: Vec::new(),
        };
        Choice { index, found: Some(found) }
    }
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

/// Plays moves as long as there is but one, so that somebody chooses or the game is over.
pub fn play_forced<G: Geometry>(state: &mut State<G>, list: &mut MoveList) {
    forced(state, list).for_each(drop);
}

/// The moves that `play_forced` plays, each played as it is taken; `list` holds the legal moves in the end.
pub fn forced<'a, G: Geometry>(state: &'a mut State<G>, list: &'a mut MoveList) -> impl Iterator<Item = Move> + 'a {
    std::iter::from_fn(move || {
        state.legal_moves(list);
        let [only] = list[..] else { return None };
        state.apply(only);
        Some(only)
    })
}
