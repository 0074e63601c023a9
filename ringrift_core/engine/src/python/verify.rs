//! `verify_games`: stored games played again, a chunk at a time over all cores.

use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use rayon::prelude::*;

use crate::python::errors::{guarded, refuse, setup_of};
use crate::records::verify::{verify, Claim};
use crate::setup::Setup;
use crate::with_geometry;

/// One row of a file of games, any number that SQLite holds included; text and bytes stay where Python has them.
#[derive(FromPyObject)]
pub struct Row(
    #[allow(dead_code)] // the number, which says nothing about the game
    i64,
    PyBackedBytes,
    PyBackedStr,
    Option<i64>,
    Option<PyBackedStr>,
    PyBackedStr,
    i64,
    i64,
    i64,
    i64,
    PyBackedBytes,
    Option<PyBackedBytes>,
);

impl Row {
    fn claim(&self) -> Claim<'_> {
        let Row(_, id, seats, winner, ranks, reason, swapped, turns, recorded_moves, decisions, moves, searches) = self;
        Claim {
            id,
            seats,
            winner: *winner,
            ranks: ranks.as_deref(),
            reason,
            swapped: *swapped,
            turns: *turns,
            recorded_moves: *recorded_moves,
            decisions: *decisions,
            moves,
            searches: searches.as_deref().unwrap_or_default(),
        }
    }
}

#[pyfunction]
#[pyo3(signature = (board, players, games, *, profile = "canonical", swap = None, threads = 0))]
pub fn verify_games(
    py: Python<'_>,
    board: &str,
    players: usize,
    games: Vec<Row>,
    profile: &str,
    swap: Option<bool>,
    threads: usize,
) -> PyResult<Vec<(usize, String)>> {
    let setup = setup_of(board, players, profile, swap)?;
    py.detach(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| refuse(format!("threads: {error}")))?;
        Ok(pool
            .install(|| games.par_iter().enumerate().filter_map(|(index, row)| fault_of(setup, index, row)).collect()))
    })
}

/// What is wrong with a row. A panic is of that one row: the others are looked at all the same.
fn fault_of(setup: Setup, index: usize, row: &Row) -> Option<(usize, String)> {
    let claim = row.claim();
    let checked = guarded(|| with_geometry!(setup.board(), G => Ok(verify::<G>(setup, &claim))));
    match checked {
        Ok(Ok(())) => None,
        Ok(Err(fault)) => Some((index, fault.to_string())),
        Err(panic) => Some((index, panic.to_string())),
    }
}
