//! What a network sees of positions, the keys of moves, and rows of datasets.

use half::f16;
use numpy::ndarray::{Array1, Array2, Array3, Array4, ArrayD, IxDyn};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArray4, PyArrayDyn, PyReadonlyArray1, PyReadonlyArray2,
    PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::board::Board;
use crate::encoding::batches::{Batch, Columns, Records};
use crate::encoding::bitmaps::{self, Unpacker};
use crate::encoding::frame::Frame;
use crate::encoding::policy::keys;
use crate::encoding::rows::{self, rows_of_games, Making, Rows, Source};
use crate::encoding::sparse::{input_symmetries, sparse_rows};
use crate::encoding::{encode, Shape};
use crate::moves::MoveList;
use crate::players::features::FEATURE_COUNT;
use crate::players::nnue::inputs::{buckets, cell_inputs, inputs_of_seat, TURN_INPUTS};
use crate::players::nnue::parameters::width;
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
    columns(py, rows, setup.board(), players)
}

/// Features of the linear heuristic in a row of so many.
fn feature_shape(rows: &Rows, players: usize) -> (usize, usize, usize) {
    let kept = if rows.features.is_empty() { 0 } else { rows.len() };
    (kept, players, FEATURE_COUNT)
}

fn columns<'py>(py: Python<'py>, rows: Rows, board: Board, players: usize) -> PyResult<Bound<'py, PyDict>> {
    let (count, globals) = (rows.len(), Shape::of(board, players).globals);
    let feature_shape = feature_shape(&rows, players);
    let table = PyDict::new(py);
    wide(&table, "planes", rows.planes, count, bitmaps::bytes(board, players))?;
    wide(&table, "globals", rows.globals, count, globals)?;
    wide(&table, "outcomes", rows.outcomes, count, players)?;
    wide(&table, "values", rows.values, count, players)?;
    let features = Array3::from_shape_vec(feature_shape, rows.features).map_err(shaped)?;
    table.set_item("features", features.into_pyarray(py))?;
    wide(&table, "eliminations", rows.eliminations, count, players)?;
    wide(&table, "territories", rows.territories, count, players)?;
    wide(&table, "owners", rows.owners, count, bitmaps::owner_bytes(board, players))?;
    long(&table, "reasons", rows.reasons)?;
    long(&table, "turns_left", rows.turns_left)?;
    long(&table, "unsearched", rows.unsearched)?;
    long(&table, "legal", rows.legal)?;
    long(&table, "shares", rows.shares)?;
    long(&table, "key_counts", rows.key_counts)?;
    long(&table, "keys", rows.keys)?;
    long(&table, "games", rows.games)?;
    long(&table, "decisions", rows.decisions)?;
    long(&table, "tree_moves", rows.tree_moves)?;
    long(&table, "seats", rows.seats)?;
    long(&table, "symmetries", rows.symmetries)?;
    long(&table, "symmetric", rows.symmetric)?;
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

/// A column of a dataset, by its name.
fn column<'py, T: Element>(columns: &Bound<'py, PyDict>, name: &str) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let found = columns.get_item(name)?.ok_or_else(|| refuse(format!("columns: {name} is missing")))?;
    found.extract().map_err(|_| refuse(format!("columns: {name} is of another type, {found}")))
}

#[pyfunction]
pub fn pack_rows<'py>(
    py: Python<'py>,
    board: &str,
    players: usize,
    columns: &Bound<'py, PyDict>,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyArray1<u32>>)> {
    require_numpy(py)?;
    let setup = setup_of(board, players, "canonical", None)?;
    let bytes = |name: &str| column::<u8>(columns, name);
    let halves = |name: &str| column::<f16>(columns, name);
    let shorts = |name: &str| column::<u16>(columns, name);
    let (planes, owners, reasons) = (bytes("planes")?, bytes("owners")?, bytes("reasons")?);
    let (symmetric, key_counts, legal) = (bytes("symmetric")?, bytes("key_counts")?, column::<u32>(columns, "legal")?);
    let (globals, outcomes, values) = (halves("globals")?, halves("outcomes")?, halves("values")?);
    let (eliminations, territories, shares) = (halves("eliminations")?, halves("territories")?, halves("shares")?);
    let (turns_left, unsearched, keys) = (shorts("turns_left")?, shorts("unsearched")?, shorts("keys")?);
    let loose = |_| refuse("columns: expected contiguous arrays");
    let columns = Columns {
        planes: planes.as_slice().map_err(loose)?,
        globals: globals.as_slice().map_err(loose)?,
        outcomes: outcomes.as_slice().map_err(loose)?,
        values: values.as_slice().map_err(loose)?,
        eliminations: eliminations.as_slice().map_err(loose)?,
        territories: territories.as_slice().map_err(loose)?,
        owners: owners.as_slice().map_err(loose)?,
        reasons: reasons.as_slice().map_err(loose)?,
        turns_left: turns_left.as_slice().map_err(loose)?,
        unsearched: unsearched.as_slice().map_err(loose)?,
        symmetric: symmetric.as_slice().map_err(loose)?,
        legal: legal.as_slice().map_err(loose)?,
        shares: shares.as_slice().map_err(loose)?,
        key_counts: key_counts.as_slice().map_err(loose)?,
        keys: keys.as_slice().map_err(loose)?,
    };
    let (records, lengths) = py.detach(|| Records::of(setup.board(), players).pack(&columns))?;
    Ok((PyBytes::new(py, &records), Array1::from_vec(lengths).into_pyarray(py)))
}

#[pyfunction]
pub fn unpack_rows<'py>(
    py: Python<'py>,
    board: &str,
    players: usize,
    records: Vec<Bound<'py, PyBytes>>,
    symmetries: PyReadonlyArray1<'py, u8>,
) -> PyResult<Bound<'py, PyDict>> {
    require_numpy(py)?;
    let setup = setup_of(board, players, "canonical", None)?;
    let symmetries = symmetries.as_slice().map_err(|_| refuse("symmetries: expected a contiguous array"))?;
    if symmetries.len() != records.len() {
        return Err(refuse(format!("symmetries: {} for {} records", symmetries.len(), records.len())));
    }
    let records: Vec<&[u8]> = records.iter().map(|record| record.as_bytes()).collect();
    let batch = py.detach(|| Records::of(setup.board(), players).unpack(&records, symmetries))?;
    batch_arrays(py, batch, setup.board(), players, records.len())
}

fn batch_arrays<'py>(
    py: Python<'py>,
    batch: Batch,
    board: Board,
    players: usize,
    rows: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let (shape, table) = (Shape::of(board, players), PyDict::new(py));
    array(&table, "planes", batch.planes, &[rows, shape.planes, shape.side, shape.side])?;
    array(&table, "globals", batch.globals, &[rows, shape.globals])?;
    array(&table, "outcomes", batch.outcomes, &[rows, players])?;
    array(&table, "values", batch.values, &[rows, players])?;
    array(&table, "eliminations", batch.eliminations, &[rows, players])?;
    array(&table, "territories", batch.territories, &[rows, players])?;
    array(&table, "owners", batch.owners, &[rows, players, shape.side, shape.side])?;
    array(&table, "reasons", batch.reasons, &[rows])?;
    array(&table, "turns_left", batch.turns_left, &[rows])?;
    array(&table, "unsearched", batch.unsearched, &[rows])?;
    array(&table, "legal", batch.legal, &[rows, batch.moves])?;
    array(&table, "shares", batch.shares, &[rows, batch.moves])?;
    array(&table, "keys", batch.keys, &[rows, batch.moves, batch.most_keys])?;
    Ok(table)
}

fn array<T: Element>(table: &Bound<'_, PyDict>, name: &str, numbers: Vec<T>, shape: &[usize]) -> PyResult<()> {
    let array = ArrayD::from_shape_vec(IxDyn(shape), numbers).map_err(shaped)?;
    table.set_item(name, array.into_pyarray(table.py()))
}

#[pyfunction]
pub fn nnue_shape(board: &str, players: usize) -> PyResult<(usize, usize, usize, usize, usize)> {
    let setup = setup_of(board, players, "canonical", None)?;
    let inputs = inputs_of_seat(setup.board(), players);
    Ok((inputs, cell_inputs(players), TURN_INPUTS, width(players), buckets(players)))
}

#[pyfunction]
pub fn nnue_rows<'py>(
    py: Python<'py>,
    board: &str,
    players: usize,
    lengths: PyReadonlyArray1<'py, u16>,
    states: PyReadonlyArray1<'py, u8>,
) -> PyResult<Bound<'py, PyDict>> {
    require_numpy(py)?;
    let setup = setup_of(board, players, "canonical", None)?;
    let contiguous = |_| refuse("lengths, states: expected contiguous arrays");
    let (lengths, states) = (lengths.as_slice().map_err(contiguous)?, states.as_slice().map_err(contiguous)?);
    let rows = py.detach(|| guarded(|| Ok(sparse_rows(setup, lengths, states)?)))?;
    let table = PyDict::new(py);
    long(&table, "counts", rows.counts)?;
    long(&table, "numbers", rows.numbers)?;
    long(&table, "owners", rows.owners)?;
    let turns = (rows.heads.len(), players, TURN_INPUTS);
    table.set_item("turns", Array3::from_shape_vec(turns, rows.turns).map_err(shaped)?.into_pyarray(py))?;
    long(&table, "heads", rows.heads)?;
    long(&table, "symmetric", rows.symmetric)?;
    Ok(table)
}

#[pyfunction]
pub fn nnue_symmetries<'py>(py: Python<'py>, board: &str, players: usize) -> PyResult<Bound<'py, PyArray2<u16>>> {
    require_numpy(py)?;
    let board = setup_of(board, players, "canonical", None)?.board();
    let (images, inputs) = (input_symmetries(board, players), inputs_of_seat(board, players));
    let array = Array2::from_shape_vec((images.len() / inputs, inputs), images).map_err(shaped)?;
    Ok(array.into_pyarray(py))
}
