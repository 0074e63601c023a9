//! Drivers: many games at once, and what is made of their records. Start at `run`.

pub mod book;
pub mod choose;
pub mod inquiry;
pub mod match_play;
pub mod packed;
pub mod record;
pub mod replay;
pub mod rng;
pub mod run;
pub mod searched;
pub mod selfplay;
pub mod session;
pub mod thought;
pub mod verify;
