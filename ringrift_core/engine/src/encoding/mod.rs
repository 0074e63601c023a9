//! What a network sees of a position and how it names moves; datasets of both. docs/encoding.md lists every number.
//!
//! `planes` and `globals` are a network's input, `policy` its output; `bitmaps` is the input as datasets store it, `exact`
//! a whole state in few bytes, `rows` turns recorded games into arrays, and `batches` rows into what a training takes.
//! Everything is rotated so that the seat to move is seat 0, and can be written as seen through a symmetry of the board
//! (`frame`).

pub mod batches;
pub mod bitmaps;
pub mod exact;
pub mod frame;
pub mod globals;
pub mod planes;
pub mod policy;
pub mod rows;
pub mod sparse;

use crate::board::{Board, Geometry};
use crate::state::State;
use frame::Frame;

/// Raised when the meaning of any number changes: a network reads the encoding it was trained on.
pub const ENCODING_VERSION: u32 = 2;

/// The shape of one encoded position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    pub planes: usize,
    /// Height and width of the array: hexagons lie in the square of side 2 radius + 1.
    pub side: usize,
    pub globals: usize,
    /// Numbers in the policy output.
    pub policy: usize,
}

impl Shape {
    pub const fn of(board: Board, players: usize) -> Shape {
        let side = board.size();
        Shape {
            planes: planes::count(players),
            side,
            globals: globals::count(players),
            policy: policy::planes(board, players) * side * side + policy::GLOBAL_KEYS,
        }
    }

    /// Numbers in the planes of one position.
    pub const fn plane_len(self) -> usize {
        self.planes * self.side * self.side
    }
}

/// Writes one position as it lies. Both slices must be zeroed and of the shape's lengths.
pub fn encode<G: Geometry>(state: &State<G>, planes: &mut [f32], globals: &mut [f32]) {
    planes::write(state, Frame::identity(G::BOARD), planes);
    globals::write(state, globals);
}

#[cfg(test)]
mod tests;
