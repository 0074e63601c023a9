//! What a network sees of positions, the keys of moves, and rows of datasets.

use numpy::ndarray::{Array1, Array2, Array3, Array4, ArrayD};
use numpy::{Element, IntoPyArray, PyArray1, PyArray4, PyArrayDyn, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::encoding::bitmaps::{self, Unpacker};
use crate::encoding::frame::Frame;
use crate::encoding::policy::keys;
use crate::encoding::rows::{self, rows_of_games, Making, Rows, Source};
use crate::encoding::{encode, Shape};
use crate::moves::MoveList;
use crate::players::features::FEATURE_COUNT;
use crate::python::errors::{guarded, refuse, require_numpy, setup_of};
use crate::python::position::Position;
use crate::{with_geometry, with_state};

fn shaped(error: numpy::ndarray::ShapeError) -> PyErr {
    refuse(error.to_string())
}

#[pyfunction]
pub fn encoding_shape(board: &str, players: usize) -> PyResult<(usize, usize, usize, usize)> {
    let setup = setup_of(board, players, "canonical", None)?;
    let shape = Shape::of(setup.board(), players);
    Ok((shape.planes, shape.side, shape.side, shape.globals))
}

#[pyfunction]
pub fn policy_size(board: &str, players: usize) -> PyResult<usize> {
    let setup = setup_of(board, players, "canonical", None)?;
    Ok(Shape::of(setup.board(), players).policy)
}

type PositionArrays<'py> = (Bound<'py, PyArrayDyn<f32>>, Bound<'py, PyArray1<f32>>);

#[pyfunction]
pub fn encode_position<'py>(py: Python<'py>, position: &Position) -> PyResult<PositionArrays<'py>> {
    require_numpy(py)?;
    let setup = position.game.setup();
    let shape = Shape::of(setup.board(), setup.players());
    let (mut planes, mut globals) = (vec![0.0; shape.plane_len()], vec![0.0; shape.globals]);
    guarded(|| {
        with_state!(&position.game, state => encode(state, &mut planes, &mut globals));
        Ok(())
    })?;
    let planes = ArrayD::from_shape_vec(vec![shape.planes, shape.side, shape.side], planes).map_err(shaped)?;
    Ok((planes.into_pyarray(py), Array1::from_vec(globals).into_pyarray(py)))
}

#[pyfunction]
pub fn move_keys<'py>(py: Python<'py>, position: &Position) -> PyResult<Bound<'py, PyDict>> {
    let mut list = MoveList::new();
    position.game.legal_moves(&mut list);
    let (named, frame) = (PyDict::new(py), Frame::identity(position.game.setup().board()));
    for one in &*list {
        let keys = with_state!(&position.game, state => keys(state, *one, frame));
        named.set_item(position.game.describe(*one), PyTuple::new(py, keys.iter())?)?;
    }
    Ok(named)
}

#[pyfunction]
pub fn draw_decisions(seed: u64, game_id: &str, decisions: usize, wanted: usize) -> PyResult<Vec<usize>> {
    Ok(rows::draw_decisions(seed, game_id, decisions, wanted)?)
}

type GameToEncode = (String, Vec<u8>, Vec<u8>, Option<Vec<usize>>);

#[pyfunction]
#[pyo3(signature = (board, players, games, *, seed = 0, symmetries = 0, exact_states = false, trees = false, features = false,
    profile = "canonical", swap = None, threads = 0))]
#[allow(clippy::too_many_arguments)] // Python's keyword arguments
pub fn encode_rows<'py>(
    py: Python<'py>,
    board: &str,
    players: usize,
    games: Vec<GameToEncode>,
    seed: u64,
    symmetries: usize,
    exact_states: bool,
    trees: bool,
    features: bool,
    profile: &str,
    swap: Option<bool>,
    threads: usize,
) -> PyResult<Bound<'py, PyDict>> {
    require_numpy(py)?;
    let setup = setup_of(board, players, profile, swap)?;
    let source = |(id, moves, searches, decisions)| Source { id, moves, searches, decisions };
    let games: Vec<Source> = games.into_iter().map(source).collect();
    let making = Making { seed, symmetries, exact_states, trees, features };
    let rows = py.detach(|| {
        let work = || guarded(|| with_geometry!(setup.board(), G => Ok(rows_of_games::<G>(setup, &games, making)?)));
        // A pool that cannot be made leaves rayon's own: slower or faster, never different.
        match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
            Ok(pool) => pool.install(work),
            Err(_) => work(),
        }
    })?;
    let shape = Shape::of(setup.board(), players);
    columns(py, rows, bitmaps::bytes(setup.board(), players), shape.globals, players)
}

/// Features of the linear heuristic in a row of so many.
fn feature_shape(rows: &Rows, players: usize) -> (usize, usize, usize) {
    let kept = if rows.features.is_empty() { 0 } else { rows.len() };
    (kept, players, FEATURE_COUNT)
}

fn columns<'py>(
    py: Python<'py>,
    rows: Rows,
    packed: usize,
    globals: usize,
    players: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let count = rows.len();
    let feature_shape = feature_shape(&rows, players);
    let table = PyDict::new(py);
    wide(&table, "planes", rows.planes, count, packed)?;
    wide(&table, "globals", rows.globals, count, globals)?;
    wide(&table, "outcomes", rows.outcomes, count, players)?;
    wide(&table, "values", rows.values, count, players)?;
    let features = Array3::from_shape_vec(feature_shape, rows.features).map_err(shaped)?;
    table.set_item("features", features.into_pyarray(py))?;
    long(&table, "legal", rows.legal)?;
    long(&table, "shares", rows.shares)?;
    long(&table, "key_counts", rows.key_counts)?;
    long(&table, "keys", rows.keys)?;
    long(&table, "games", rows.games)?;
    long(&table, "decisions", rows.decisions)?;
    long(&table, "tree_moves", rows.tree_moves)?;
    long(&table, "seats", rows.seats)?;
    long(&table, "symmetries", rows.symmetries)?;
    long(&table, "state_lengths", rows.state_lengths)?;
    long(&table, "states", rows.states)?;
    Ok(table)
}

fn wide<T: Element>(table: &Bound<'_, PyDict>, name: &str, column: Vec<T>, rows: usize, width: usize) -> PyResult<()> {
    let array = Array2::from_shape_vec((rows, width), column).map_err(shaped)?;
    table.set_item(name, array.into_pyarray(table.py()))
}

fn long<T: Element>(table: &Bound<'_, PyDict>, name: &str, column: Vec<T>) -> PyResult<()> {
    table.set_item(name, Array1::from_vec(column).into_pyarray(table.py()))
}

#[pyfunction]
pub fn unpack_planes<'py>(
    py: Python<'py>,
    board: &str,
    players: usize,
    packed: PyReadonlyArray2<'py, u8>,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    require_numpy(py)?;
    let setup = setup_of(board, players, "canonical", None)?;
    let (shape, width) = (Shape::of(setup.board(), players), bitmaps::bytes(setup.board(), players));
    let rows = packed.shape()[0];
    if packed.shape()[1] != width {
        return Err(refuse(format!("planes: {} bytes a row, expected {width}", packed.shape()[1])));
    }
    let packed = packed.as_slice().map_err(|_| refuse("planes: expected a contiguous array"))?;
    let planes = py.detach(|| {
        let unpacker = Unpacker::of(setup.board(), players);
        let mut planes = vec![0.0; rows * shape.plane_len()];
        let written = planes.chunks_exact_mut(shape.plane_len()).zip(packed.chunks_exact(width));
        written.for_each(|(planes, packed)| unpacker.unpack(packed, planes));
        planes
    });
    let dimensions = (rows, shape.planes, shape.side, shape.side);
    Ok(Array4::from_shape_vec(dimensions, planes).map_err(shaped)?.into_pyarray(py))
}
