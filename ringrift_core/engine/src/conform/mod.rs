//! Conformance: replays recorded games and hand-made positions, comparing everything at every step.

mod compare;
mod files;
mod game;
mod header;
mod line;
mod position;
mod report;
mod text;

pub use files::conform;
pub use report::{Mismatch, Report};
pub use text::conform_text;
