//! The rules of each kind of move and of the end of a game, as methods of `State`. Start at `turn`.

mod capture;
mod last_player_standing;
mod legal;
pub mod lines;
mod movement;
mod placement;
mod ranking;
mod recovery;
mod territory;
mod turn;
mod victory;
