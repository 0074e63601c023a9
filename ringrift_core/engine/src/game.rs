//! A game on any board: the face for callers that choose the board at run time.

use serde_json::Value;

use crate::board::{Board, Geometry, Hex8, Hexagonal, Square19, Square8};
use crate::error::Error;
use crate::moves::{Move, MoveList};
use crate::playout::{Playout, Random};
use crate::setup::Setup;
use crate::state::{Outcome, Phase, RegionDebt, State};
use crate::symmetry::Symmetry;
use crate::view::Content;

/// A game in progress or over. Cloning is cheap and is the undo; the large boards are boxed so that the small ones stay
/// small.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // Boxing the small boards would cost an allocation per clone.
pub enum Game {
    Square8(State<Square8>),
    Hex8(State<Hex8>),
    Square19(Box<State<Square19>>),
    Hexagonal(Box<State<Hexagonal>>),
}

/// Runs one expression on the `State` of a `Game`, compiled for each board:
/// `with_state!(&game, state => state.phase())`.
#[macro_export]
macro_rules! with_state {
    ($game:expr, $state:ident => $body:expr) => {
        match $game {
            $crate::Game::Square8($state) => $body,
            $crate::Game::Hex8($state) => $body,
            $crate::Game::Square19($state) => $body,
            $crate::Game::Hexagonal($state) => $body,
        }
    };
}

/// Runs one expression with `$geometry` standing for the type of a `Board`:
/// `with_geometry!(board, G => State::<G>::new(setup))`.
#[macro_export]
macro_rules! with_geometry {
    ($board:expr, $geometry:ident => $body:expr) => {
        match $board {
            $crate::board::Board::Square8 => {
                type $geometry = $crate::board::Square8;
                $body
            }
            $crate::board::Board::Hex8 => {
                type $geometry = $crate::board::Hex8;
                $body
            }
            $crate::board::Board::Square19 => {
                type $geometry = $crate::board::Square19;
                $body
            }
            $crate::board::Board::Hexagonal => {
                type $geometry = $crate::board::Hexagonal;
                $body
            }
        }
    };
}

impl Game {
    /// The start of a game.
    pub fn new(setup: Setup) -> Game {
        match setup.board() {
            Board::Square8 => Game::Square8(State::new(setup)),
            Board::Hex8 => Game::Hex8(State::new(setup)),
            Board::Square19 => Game::Square19(Box::new(State::new(setup))),
            Board::Hexagonal => Game::Hexagonal(Box::new(State::new(setup))),
        }
    }

    /// Reads a state (see `State::from_json`).
    pub fn from_json(setup: Setup, value: &Value) -> Result<Game, Error> {
        Ok(match setup.board() {
            Board::Square8 => Game::Square8(State::from_json(setup, value)?),
            Board::Hex8 => Game::Hex8(State::from_json(setup, value)?),
            Board::Square19 => Game::Square19(Box::new(State::from_json(setup, value)?)),
            Board::Hexagonal => Game::Hexagonal(Box::new(State::from_json(setup, value)?)),
        })
    }

    /// Reads a state from JSON text.
    pub fn from_json_text(setup: Setup, text: &str) -> Result<Game, Error> {
        let value = serde_json::from_str(text).map_err(|error| Error::new("state", format!("no JSON: {error}")))?;
        Game::from_json(setup, &value)
    }

    /// The state as JSON; `full` adds `turn` and `game`.
    pub fn to_json(&self, full: bool) -> Value {
        with_state!(self, state => state.to_json(full))
    }

    /// Fills `list` with every legal move; empty exactly when the game is over.
    #[inline]
    pub fn legal_moves(&self, list: &mut MoveList) {
        with_state!(self, state => state.legal_moves(list))
    }

    /// Plays a move of the current legal list, unchecked.
    #[inline]
    pub fn apply(&mut self, one: Move) {
        with_state!(self, state => state.apply(one))
    }

    /// Plays a move if it is legal; an error leaves the game as it was.
    pub fn play(&mut self, one: Move) -> Result<(), Error> {
        with_state!(self, state => state.play(one))
    }

    /// Plays random moves until the end or `limit`.
    pub fn play_randomly(&mut self, random: &mut Random, limit: u64, list: &mut MoveList) -> Playout {
        with_state!(self, state => state.play_randomly(random, limit, list))
    }

    /// A move in notation.
    pub fn describe(&self, one: Move) -> String {
        with_state!(self, state => state.describe(one))
    }

    /// Reads a move in notation; `play` says whether it is legal.
    pub fn parse_move(&self, text: &str) -> Result<Move, Error> {
        with_state!(self, state => state.parse_move(text))
    }

    pub fn setup(&self) -> Setup {
        with_state!(self, state => state.setup())
    }

    pub fn phase(&self) -> Phase {
        with_state!(self, state => state.phase())
    }

    /// Seat to move (0-based); the winner's once the game is over.
    pub fn to_move(&self) -> usize {
        with_state!(self, state => state.to_move())
    }

    pub fn turn_number(&self) -> u32 {
        with_state!(self, state => state.turn_number())
    }

    pub fn outcome(&self) -> Option<Outcome> {
        with_state!(self, state => state.outcome())
    }

    /// Rings in a seat's hand.
    pub fn hand(&self, seat: usize) -> u32 {
        with_state!(self, state => state.hand(seat))
    }

    /// E of a seat.
    pub fn eliminated(&self, seat: usize) -> u32 {
        with_state!(self, state => state.eliminated(seat))
    }

    /// T of a seat.
    pub fn territory(&self, seat: usize) -> u32 {
        with_state!(self, state => state.territory(seat))
    }

    /// What a cell holds.
    pub fn content(&self, cell: usize) -> Content {
        with_state!(self, state => state.content(cell))
    }

    /// Ring colours (seats) of the stack on a cell, bottom first.
    pub fn rings(&self, cell: usize) -> Vec<usize> {
        with_state!(self, state => state.rings(cell).collect())
    }

    pub fn region_debt(&self) -> RegionDebt {
        with_state!(self, state => state.region_debt())
    }

    /// Key of the full state (see `State::identity_key`).
    pub fn identity_key(&self) -> u64 {
        with_state!(self, state => state.identity_key())
    }

    /// Key of what decides the game that follows (see `State::search_key`).
    pub fn search_key(&self) -> u64 {
        with_state!(self, state => state.search_key())
    }

    /// The game seen through a symmetry of its board; canonical profile only (see `symmetry`).
    pub fn mapped(&self, symmetry: Symmetry) -> Game {
        match self {
            Game::Square8(state) => Game::Square8(state.mapped(symmetry)),
            Game::Hex8(state) => Game::Hex8(state.mapped(symmetry)),
            Game::Square19(state) => Game::Square19(Box::new(state.mapped(symmetry))),
            Game::Hexagonal(state) => Game::Hexagonal(Box::new(state.mapped(symmetry))),
        }
    }

    /// A legal move as the move of the mapped game.
    pub fn map_move(&self, symmetry: Symmetry, one: Move) -> Move {
        with_state!(self, state => state.map_move(symmetry, one))
    }

    /// Bytes of a state on this board.
    pub fn state_bytes(&self) -> usize {
        with_state!(self, state => state_size(state))
    }
}

fn state_size<G: Geometry>(_: &State<G>) -> usize {
    std::mem::size_of::<State<G>>()
}
