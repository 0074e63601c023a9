//! Minimax with the linear evaluation: alpha-beta for two players; max^n, paranoid and best-reply search for three and four.
//!
//! Values are one per seat and never negated by ply: one seat decides several times in a row. What a decision is worth to
//! whom is said by an `Aim`, which `swap_sides` passes on to the seat where the agent then sits. Start at
//! `deepening::search`.

mod aim;
mod alpha_beta;
pub mod deepening;
#[cfg(test)]
mod known_answers;
mod max_n;
pub mod ordering;
mod quiescence;
mod search;
pub mod settings;
mod table;
#[cfg(test)]
mod windows;

pub use deepening::{search, Searched};
pub use settings::{Settings, Variant};
