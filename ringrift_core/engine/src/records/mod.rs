//! Recorded games: the forms in which moves and searches are stored, playing them again, and checking what a record says.

pub mod game;
pub mod packed;
pub mod replay;
pub mod searched;
pub mod verify;
