//! A decision: what it is made from, and what it comes to.

use std::sync::atomic::AtomicBool;

use crate::board::Geometry;
use crate::moves::Move;
use crate::players::choice::Choice;
use crate::players::memory::Memory;
use crate::players::values::Values;
use crate::playout::Random;
use crate::state::State;

/// What a decision is made from. There is more than one legal move.
pub struct Situation<'a, G: Geometry> {
    pub state: &'a State<G>,
    pub legal: &'a [Move],
    /// The game's own.
    pub random: &'a mut Random,
    /// The agent's own of this game.
    pub memory: &'a mut Memory<G>,
    /// Ends a search: it decides by what it has.
    pub stopped: &'a AtomicBool,
}

/// What a decision comes to next.
pub enum Next<G: Geometry> {
    /// A network is asked.
    Ask(Inquiry<G>),
    Decided(Choice),
}

/// Positions that one decision wants evaluated by one network.
pub struct Inquiry<G: Geometry> {
    pub evaluator: usize,
    pub positions: Vec<State<G>>,
    pub policy: Wish,
}

/// Is a policy wanted beside the values?
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wish {
    No,
    IfThereIsOne,
    Needed,
}

/// A network's answer for one position.
pub struct Answer {
    /// Win probability of each seat as seated there, 0 beyond the players.
    pub values: Values,
    /// One for each legal move in the order of the legal list, where a policy was wanted and the network has one.
    pub logits: Option<Vec<f32>>,
}
