//! Best-first minimax without depth bound, and Descent (Cohen-Solal, "Learning to Play Two-Player Perfect-Information Games
//! without Knowledge", 2020; Cohen-Solal and Cazenave, "Minimax Strikes Back", 2021).
//!
//! The tree always grows at the end of its best line: by one position (unbounded best-first minimax), or on to the end of
//! the game (Descent). Completion: what is resolved is proven, ranks before any estimate or behind it, and is not visited
//! again. Positions that several lines reach are one node.
//!
//! Values are one per seat, so the same search serves two to four players (max^n). Nothing is negated by ply: one seat
//! decides several times in a row. `swap_sides` exchanges agents, so a value passes it with seats 1 and 2 exchanged.

mod gains;
mod ordinal;
mod search;
#[cfg(test)]
mod tests;
mod tree;

use crate::players::budget::Budget;

pub use search::Search;

/// How a search decides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    /// Nodes and time of each decision, added to what is kept of the tree; depth and simulations mean nothing here. An
    /// expansion is always finished.
    pub budget: Budget,
    pub growth: Growth,
    /// 0 plays the safest move. For self-play: 1 - epsilon of the ordinal distribution, so that the best move is played
    /// with a probability of about 1 - exploration, of the rest the next best with as much, and so on.
    pub exploration: f32,
    /// Most positions of the tree that are told along with the root, those looked into most first.
    pub inner: usize,
}

/// How far the best line grows each time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Growth {
    /// By one position: for play.
    OnePosition,
    /// To the end of the game, Descent proper: values near the end are true ones, which is what learning wants.
    ToTheEnd,
}
