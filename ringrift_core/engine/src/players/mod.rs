//! Players: how a seat chooses among its legal moves.

#[cfg(test)]
mod accumulated;
pub mod agent;
pub mod asked;
pub mod budget;
pub mod calibration;
pub mod choice;
pub mod completion;
pub mod decision;
pub mod descent;
pub mod features;
pub mod forced;
pub mod judge;
#[cfg(test)]
pub mod known_answers;
pub mod linear;
pub mod mcts;
pub mod memory;
pub mod minimax;
pub mod mlp;
pub mod nnue;
mod one_ply;
pub mod tensors;
pub mod values;

pub use agent::{Agent, AnyJudge, Search};
pub use choice::{best_by, Choice, Found, Inner};
pub use forced::{forced, play_forced, settle};
