//! What an agent keeps in mind from one decision of a game to its next.

use crate::board::Geometry;
use crate::moves::Move;
use crate::players::{descent, mcts};

/// An agent's memory of one game. It speeds the next decision up; it is never needed for one.
#[derive(Default)]
pub enum Memory<G: Geometry> {
    #[default]
    Empty,
    /// The tree of a Monte-Carlo tree search.
    Mcts(Box<mcts::Search<G>>),
    /// The graph of a best-first minimax.
    Descent(Box<descent::Search<G>>),
}

impl<G: Geometry> Memory<G> {
    /// A decision was made in the game, by any agent: a move chosen among several.
    pub fn decided(&mut self, one: Move) {
        match self {
            Memory::Empty => {}
            Memory::Mcts(search) => search.decided(one),
            Memory::Descent(search) => search.decided(one),
        }
    }

    /// How much memory it takes, about.
    pub fn bytes(&self) -> u64 {
        match self {
            Memory::Empty => 0,
            Memory::Mcts(search) => search.bytes(),
            Memory::Descent(search) => search.bytes(),
        }
    }

    /// The Monte-Carlo tree search in mind; a new one where there is none.
    pub fn mcts(&mut self) -> &mut mcts::Search<G> {
        if !matches!(self, Memory::Mcts(_)) {
            *self = Memory::Mcts(Box::default());
        }
        match self {
            Memory::Mcts(search) => search,
            _ => unreachable!("set above"),
        }
    }

    /// The best-first minimax in mind; a new one where there is none.
    pub fn descent(&mut self) -> &mut descent::Search<G> {
        if !matches!(self, Memory::Descent(_)) {
            *self = Memory::Descent(Box::default());
        }
        match self {
            Memory::Descent(search) => search,
            _ => unreachable!("set above"),
        }
    }
}
