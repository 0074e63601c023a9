//! The rules of RingRift, complete, for four boards and two to four players.
//!
//! `Game` is what most callers need: a game on any board. `State<G>` is the same on one board, for code that is compiled
//! per board. `Move` is a code to keep; `notation` and `json` read and write the forms of traces/FORMAT.md.

pub mod bench;
pub mod bits;
pub mod board;
mod capture;
pub mod conform;
pub mod drivers;
pub mod encoding;
pub mod error;
pub mod game;
pub mod invariants;
mod json;
mod keys;
mod last_player_standing;
mod legal;
mod lines;
mod movement;
pub mod moves;
pub mod notation;
mod placement;
pub mod players;
pub mod playout;
#[cfg(feature = "python")]
mod python;
mod ranking;
mod rays;
mod recovery;
pub mod setup;
mod stack;
pub mod state;
pub mod symmetry;
mod territory;
mod turn;
mod validate;
mod victory;
pub mod view;

pub use board::Board;
pub use error::Error;
pub use game::Game;
pub use moves::{Move, MoveKind, MoveList};
pub use setup::{Profile, Setup};
pub use state::{Outcome, Phase, Reason, RegionDebt, State};
pub use symmetry::Symmetry;
pub use view::Content;
