//! Drivers: many games at once, in self-play and in matches. Start at `run`.

pub mod book;
pub mod choose;
pub mod clock;
pub mod host;
pub mod inquiry;
#[cfg(test)]
mod known_answers;
pub mod lanes;
pub mod match_play;
pub mod run;
pub mod selfplay;
pub mod session;
