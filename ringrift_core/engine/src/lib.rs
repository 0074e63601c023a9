//! The rules of RingRift, complete, for four boards and two to four players.
//!
//! `Game` is what most callers need: a game on any board. `State<G>` is the same on one board, for code that is compiled
//! per board. `Move` is a code to keep; `notation` and `json` read and write the forms of docs/trace-format.md.

pub mod bench;
pub mod bits;
pub mod board;
pub mod conform;
pub mod drivers;
pub mod encoding;
pub mod error;
pub mod game;
pub mod invariants;
mod json;
mod keys;
pub mod moves;
pub mod notation;
pub mod players;
pub mod playout;
#[cfg(feature = "python")]
mod python;
mod rays;
pub mod records;
pub mod rng;
mod rules;
pub mod setup;
mod stack;
pub mod state;
pub mod symmetry;
mod validate;
pub mod view;

pub use board::Board;
pub use error::Error;
pub use game::Game;
pub use moves::{Move, MoveKind, MoveList};
pub use setup::{Profile, Setup};
pub use state::{Outcome, Phase, Reason, RegionDebt, State};
pub use symmetry::Symmetry;
pub use view::Content;
