//! Where the cells of a board come to lie in the square array, as they are or seen through a symmetry.

use std::sync::OnceLock;

use crate::board::{Board, Geometry, MAX_SLOTS, NONE};
use crate::state::State;
use crate::symmetry::Symmetry;

/// The places of a board's slots under one of its symmetries.
pub struct Frame {
    /// Dense cell index of each slot; `NONE` in the padding.
    cell: [u16; MAX_SLOTS],
    /// Place in the array, row by row, of each slot; `NONE` in the padding.
    pixel: [u16; MAX_SLOTS],
    direction: [u8; 8],
}

impl Frame {
    /// The frame of symmetry `index` in `Symmetry::all(board)`; 0 is the board as it is.
    pub fn of(board: Board, index: usize) -> &'static Frame {
        &Frame::all(board)[index]
    }

    pub fn identity(board: Board) -> &'static Frame {
        Frame::of(board, 0)
    }

    /// The frames of all symmetries of a board, in their order.
    pub fn all(board: Board) -> &'static [Frame] {
        static FRAMES: [OnceLock<Vec<Frame>>; Board::ALL.len()] = [const { OnceLock::new() }; Board::ALL.len()];
        FRAMES[board as usize].get_or_init(|| Symmetry::all(board).into_iter().map(Frame::build).collect())
    }

    fn build(symmetry: Symmetry) -> Frame {
        let (board, tables) = (symmetry.board(), symmetry.board().tables());
        let mut frame = Frame { cell: [NONE; MAX_SLOTS], pixel: [NONE; MAX_SLOTS], direction: [0; 8] };
        for cell in 0..board.cells() {
            let slot = tables.slot_of[cell] as usize;
            let image = symmetry.cell(cell);
            frame.cell[slot] = image as u16;
            frame.pixel[slot] = pixel_of_cell(board, image) as u16;
        }
        for direction in 0..board.directions() {
            frame.direction[direction] = symmetry.direction(direction) as u8;
        }
        frame
    }

    #[inline(always)]
    pub fn cell(&self, slot: usize) -> usize {
        self.cell[slot] as usize
    }

    #[inline(always)]
    pub fn pixel(&self, slot: usize) -> usize {
        self.pixel[slot] as usize
    }

    #[inline(always)]
    pub fn direction(&self, direction: usize) -> usize {
        self.direction[direction] as usize
    }
}

/// The place in the square array of a cell: row y + radius, column x + radius.
pub fn pixel_of_cell(board: Board, cell: usize) -> usize {
    let (x, y) = board.coordinates(cell);
    (y + board.radius()) as usize * board.size() + (x + board.radius()) as usize
}

/// Seat `seat` counted from the seat to move: 0 is the mover, 1 the next in turn order.
#[inline(always)]
pub fn relative<G: Geometry>(state: &State<G>, seat: usize) -> usize {
    (seat + state.players() - state.mover()) % state.players()
}
