//! Exact states as what an NNUE sees of them: rows to train on. docs/encoding.md lists every input.

use rayon::prelude::*;

use super::frame::{relative, Frame};
use super::{exact, rows};
use crate::board::{Board, Geometry};
use crate::error::Error;
use crate::players::nnue::inputs::{bucket_of_mover, cell_inputs, inputs_of_seat, turn, Difference, TURN_INPUTS};
use crate::setup::Setup;
use crate::state::State;
use crate::with_state;

/// Rows as flat columns.
#[derive(Default)]
pub struct SparseRows {
    /// `[rows]`: number of inputs of each.
    pub counts: Vec<u16>,
    /// The inputs that have rows, one row of this table after the other: their numbers among those of a seat.
    pub numbers: Vec<u16>,
    /// By how many seats the owner of each sits after the mover.
    pub owners: Vec<u8>,
    /// `[rows, players, inputs of a turn]`: is it set? By how many seats the owner sits after the mover's.
    pub turns: Vec<bool>,
    /// `[rows]`: the mover's head.
    pub heads: Vec<u8>,
    /// `[rows]`: do the symmetries of the board map the position's moves onto one another?
    pub symmetric: Vec<bool>,
}

/// The rows of states of one setup, which lie one after the other, so many bytes each.
pub fn sparse_rows(setup: Setup, lengths: &[u16], states: &[u8]) -> Result<SparseRows, Error> {
    let mut left = states;
    let mut parts = Vec::with_capacity(lengths.len());
    for (row, length) in lengths.iter().enumerate() {
        let (state, rest) = left
            .split_at_checked(*length as usize)
            .ok_or_else(|| Error::new(format!("states, row {row}"), "cut short: the lengths add up to more bytes"))?;
        parts.push(state);
        left = rest;
    }
    if !left.is_empty() {
        return Err(Error::new("states", format!("{} bytes more than the lengths add up to", left.len())));
    }
    let chunks: Result<Vec<SparseRows>, Error> = parts
        .par_chunks(4096)
        .enumerate()
        .map(|(chunk, states)| {
            let (mut rows, mut difference) = (SparseRows::default(), Difference::default());
            for (row, state) in states.iter().enumerate() {
                add(setup, state, &mut rows, &mut difference)
                    .map_err(|error| error.inside(&format!("states, row {}", chunk * 4096 + row)))?;
            }
            Ok(rows)
        })
        .collect();
    let mut all = SparseRows::default();
    for mut chunk in chunks? {
        all.counts.append(&mut chunk.counts);
        all.numbers.append(&mut chunk.numbers);
        all.owners.append(&mut chunk.owners);
        all.turns.append(&mut chunk.turns);
        all.heads.append(&mut chunk.heads);
        all.symmetric.append(&mut chunk.symmetric);
    }
    Ok(all)
}

fn add(setup: Setup, state: &[u8], rows: &mut SparseRows, difference: &mut Difference) -> Result<(), Error> {
    let game = exact::from_bytes(state)?;
    let found = game.setup();
    if (found.board(), found.players()) != (setup.board(), setup.players()) {
        let name = |setup: &Setup| format!("{}-{}p", setup.board().name(), setup.players());
        return Err(Error::new("state", format!("one of {}, expected {}", name(&found), name(&setup))));
    }
    with_state!(&game, state => add_state(state, rows, difference));
    Ok(())
}

fn add_state<G: Geometry>(state: &State<G>, rows: &mut SparseRows, difference: &mut Difference) {
    difference.of_all(state);
    rows.counts.push(difference.added.len() as u16);
    rows.numbers.extend(difference.added.iter().map(|input| input.number() as u16));
    rows.owners.extend(difference.added.iter().map(|input| relative(state, input.owner()) as u8));
    let first = rows.turns.len();
    rows.turns.resize(first + state.players() * TURN_INPUTS, false);
    turn(state, |owner, number| rows.turns[first + relative(state, owner) * TURN_INPUTS + number] = true);
    rows.heads.push(bucket_of_mover(state) as u8);
    rows.symmetric.push(rows::is_symmetric(state));
}

/// Where each symmetry of the board takes each input of a seat, `[symmetries, inputs of a seat]`.
pub fn input_symmetries(board: Board, players: usize) -> Vec<u16> {
    let (inputs, of_cell, tables) = (inputs_of_seat(board, players), cell_inputs(players), board.tables());
    let of_cells = board.cells() * of_cell;
    let image = |frame: &Frame, input: usize| match input {
        input if input < of_cells => {
            let slot = tables.slot_of[input / of_cell] as usize;
            frame.cell(slot) * of_cell + input % of_cell
        }
        other => other,
    };
    Frame::all(board).iter().flat_map(|frame| (0..inputs).map(|input| image(frame, input) as u16)).collect()
}
