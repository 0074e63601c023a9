//! Players: how a seat chooses among its legal moves.

pub mod budget;
pub mod calibration;
pub mod choice;
pub mod completion;
pub mod descent;
pub mod features;
pub mod forced;
pub mod heuristic;
#[cfg(test)]
mod known_answers;
pub mod mcts;
pub mod memory;
pub mod minimax;
mod player;

pub use choice::{best_by, Choice, Found, Inner};
pub use forced::{forced, play_forced, settle};
pub use player::Player;
