//! Records of games, their replay, and the positions a network learns from.

use numpy::ndarray::{Array1, Array2, Array4, ArrayD};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray4, PyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::board::Geometry;
use crate::drivers::encoding::{encode, Shape};
use crate::drivers::match_play;
use crate::drivers::record::{self, game_id, starting_seat, to_bytes};
use crate::drivers::replay::{self as replaying, from_bytes};
use crate::game::Game;
use crate::moves::MoveKind;
use crate::python::errors::{guarded, refuse, require_numpy, setup_of};
use crate::python::position::{Move, Outcome, Position};
use crate::setup::Setup;
use crate::{with_geometry, with_state};

/// One finished (or cut) game.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct GameRecord {
    record: record::GameRecord,
    seats: Vec<String>,
}

impl GameRecord {
    /// `names`: of the run's agents.
    pub fn of(record: record::GameRecord, names: &[String], players: usize) -> GameRecord {
        let seats = record.agents[..players].iter().map(|agent| names[*agent].clone()).collect();
        GameRecord { record, seats }
    }
}

#[pymethods]
impl GameRecord {
    #[getter]
    fn index(&self) -> u64 {
        self.record.index
    }

    #[getter]
    fn game_id(&self) -> &str {
        &self.record.game_id
    }

    #[getter]
    fn seats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.seats)
    }

    #[getter]
    fn moves<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &to_bytes(&self.record.moves))
    }

    #[getter]
    fn winner(&self) -> Option<usize> {
        self.record.winner.map(|seat| seat + 1)
    }

    #[getter]
    fn winning_agent(&self) -> Option<usize> {
        self.record.winning_agent().map(|seat| seat + 1)
    }

    #[getter]
    fn ranks<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.record.winner.map(|_| PyTuple::new(py, &self.record.ranks[..self.seats.len()])).transpose()
    }

    #[getter]
    fn reason(&self) -> &'static str {
        self.record.reason.map_or("max_moves", |reason| reason.name())
    }

    #[getter]
    fn swapped(&self) -> bool {
        self.record.swapped
    }

    #[getter]
    fn turns(&self) -> u32 {
        self.record.turns
    }

    #[getter]
    fn recorded_moves(&self) -> usize {
        self.record.moves.len()
    }

    #[getter]
    fn decisions(&self) -> u32 {
        self.record.decisions
    }

    fn __repr__(&self) -> String {
        let winner = self.record.winner.map_or("nobody".into(), |seat| format!("seat {}", seat + 1));
        format!(
            "<GameRecord {}: {winner} won by {} after {} turns>",
            self.record.index,
            self.reason(),
            self.record.turns
        )
    }
}

/// One opening of a match, the candidate in each seat in turn.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct GroupResult {
    #[pyo3(get)]
    group: u64,
    #[pyo3(get)]
    score: f64,
    candidate_won: Vec<Option<bool>>,
    records: Vec<Py<GameRecord>>,
}

impl GroupResult {
    pub fn of(py: Python<'_>, result: match_play::GroupResult, names: &[String]) -> PyResult<GroupResult> {
        let players = result.games.len();
        let (group, score) = (result.group, result.score());
        let candidate_won = (0..players).map(|game| result.candidate_won(game)).collect();
        let records = result.games.into_iter().map(|game| Py::new(py, GameRecord::of(game, names, players)));
        Ok(GroupResult { group, score, candidate_won, records: records.collect::<PyResult<_>>()? })
    }
}

#[pymethods]
impl GroupResult {
    #[getter]
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.records.iter().map(|record| record.clone_ref(py)))
    }

    #[getter]
    fn candidate_won<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.candidate_won)
    }

    fn __repr__(&self) -> String {
        format!("<GroupResult {}: {} of {}>", self.group, self.score, self.records.len())
    }
}

/// What a replayed list of moves says.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct Replay {
    #[pyo3(get)]
    game_id: String,
    #[pyo3(get)]
    outcome: Option<Outcome>,
    #[pyo3(get)]
    swapped: bool,
    #[pyo3(get)]
    turns: u32,
    #[pyo3(get)]
    recorded_moves: usize,
    #[pyo3(get)]
    decisions: u32,
}

#[pyfunction]
#[pyo3(signature = (board, players, moves, *, profile = "canonical", swap = None))]
pub fn replay(
    py: Python<'_>,
    board: &str,
    players: usize,
    moves: &[u8],
    profile: &str,
    swap: Option<bool>,
) -> PyResult<Replay> {
    let setup = setup_of(board, players, profile, swap)?;
    py.detach(|| guarded(|| with_geometry!(setup.board(), G => replay_on::<G>(setup, moves))))
}

fn replay_on<G: Geometry>(setup: Setup, moves: &[u8]) -> PyResult<Replay> {
    let codes = from_bytes(moves)?;
    let replayed = replaying::replay::<G>(setup, &codes, |_, _, _| {})?;
    Ok(Replay {
        game_id: game_id(&setup, moves),
        outcome: replayed.state.outcome().map(|outcome| Outcome::of(outcome, setup.players())),
        swapped: replayed.swapped,
        turns: replayed.state.turn_number(),
        recorded_moves: codes.len(),
        decisions: replayed.decisions,
    })
}

#[pyfunction]
#[pyo3(signature = (board, players, moves, *, profile = "canonical", swap = None))]
pub fn notation(board: &str, players: usize, moves: &[u8], profile: &str, swap: Option<bool>) -> PyResult<Vec<Move>> {
    let setup = setup_of(board, players, profile, swap)?;
    guarded(|| {
        let mut game = Game::new(setup);
        let mut list = Vec::new();
        for one in from_bytes(moves)? {
            let before = game.clone();
            game.play(one)?;
            list.push(Move::of(&before, one));
        }
        Ok(list)
    })
}

#[pyfunction]
pub fn encoding_shape(board: &str, players: usize) -> PyResult<(usize, usize, usize, usize)> {
    let setup = setup_of(board, players, "canonical", None)?;
    let shape = Shape::of(setup.board(), players);
    Ok((shape.planes, shape.side, shape.side, shape.globals))
}

/// Positions of a game as flat arrays, one row per chosen decision.
struct Encoded {
    shape: Shape,
    planes: Vec<f32>,
    globals: Vec<f32>,
    targets: Vec<f32>,
    seats: Vec<i64>,
}

type EncodedArrays<'py> =
    (Bound<'py, PyArray4<f32>>, Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<i64>>);

#[pyfunction]
#[pyo3(signature = (board, players, moves, decisions = None, *, profile = "canonical", swap = None))]
pub fn encode_positions<'py>(
    py: Python<'py>,
    board: &str,
    players: usize,
    moves: &[u8],
    decisions: Option<Vec<usize>>,
    profile: &str,
    swap: Option<bool>,
) -> PyResult<EncodedArrays<'py>> {
    require_numpy(py)?;
    let setup = setup_of(board, players, profile, swap)?;
    let encoded =
        py.detach(|| guarded(|| with_geometry!(setup.board(), G => encode_game::<G>(setup, moves, decisions))))?;
    let (rows, shape) = (encoded.seats.len(), encoded.shape);
    let shaped = |error: numpy::ndarray::ShapeError| refuse(error.to_string());
    let dimensions = (rows, shape.planes, shape.side, shape.side);
    Ok((
        Array4::from_shape_vec(dimensions, encoded.planes).map_err(shaped)?.into_pyarray(py),
        Array2::from_shape_vec((rows, shape.globals), encoded.globals).map_err(shaped)?.into_pyarray(py),
        Array2::from_shape_vec((rows, players), encoded.targets).map_err(shaped)?.into_pyarray(py),
        Array1::from_vec(encoded.seats).into_pyarray(py),
    ))
}

fn encode_game<G: Geometry>(setup: Setup, moves: &[u8], decisions: Option<Vec<usize>>) -> PyResult<Encoded> {
    let codes = from_bytes(moves)?;
    let players = setup.players();
    let shape = Shape::of(setup.board(), players);
    // Rows of each decision, in the order asked for; None takes every decision as it comes.
    let mut rows_of: Vec<Vec<usize>> = Vec::new();
    for (row, decision) in decisions.iter().flatten().enumerate() {
        if *decision >= codes.len() {
            return Err(refuse(format!("decisions: {decision}, but the game has {} moves", codes.len())));
        }
        rows_of.resize(rows_of.len().max(decision + 1), Vec::new());
        rows_of[*decision].push(row);
    }
    let count = decisions.as_ref().map_or(0, Vec::len);
    let mut encoded = Encoded {
        shape,
        planes: vec![0.0; count * shape.plane_len()],
        globals: vec![0.0; count * shape.globals],
        targets: Vec::new(),
        seats: vec![0; count],
    };
    // Whether the agents of seats 1 and 2 still change places after the row's position.
    let mut before_swap = vec![false; count];
    let mut is_before_swap = codes.iter().any(|one| one.kind() == MoveKind::SwapSides);
    let replayed = replaying::replay::<G>(setup, &codes, |decision, state, one| {
        if decisions.is_none() {
            rows_of.push(vec![encoded.seats.len()]);
            encoded.planes.resize(encoded.planes.len() + shape.plane_len(), 0.0);
            encoded.globals.resize(encoded.globals.len() + shape.globals, 0.0);
            encoded.seats.push(0);
            before_swap.push(false);
        }
        for row in rows_of.get(decision).into_iter().flatten() {
            let planes = &mut encoded.planes[row * shape.plane_len()..][..shape.plane_len()];
            encode(state, planes, &mut encoded.globals[row * shape.globals..][..shape.globals]);
            encoded.seats[*row] = state.to_move() as i64 + 1;
            before_swap[*row] = is_before_swap;
        }
        is_before_swap &= one.kind() != MoveKind::SwapSides;
    })?;
    if let Some(missing) = decisions.iter().flatten().find(|decision| **decision >= replayed.decisions as usize) {
        return Err(refuse(format!("decisions: {missing}, but the game has {} decisions", replayed.decisions)));
    }
    let winner = replayed.state.outcome().map(|outcome| outcome.winner);
    for (seat, before_swap) in encoded.seats.iter().zip(before_swap) {
        for offset in 0..players {
            let seat = (*seat as usize - 1 + offset) % players;
            encoded.targets.push(match winner {
                Some(winner) => (starting_seat(winner, before_swap) == seat) as u8 as f32,
                None => 1.0 / players as f32,
            });
        }
    }
    Ok(encoded)
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
    let planes = ArrayD::from_shape_vec(vec![shape.planes, shape.side, shape.side], planes)
        .map_err(|error| refuse(error.to_string()))?;
    Ok((planes.into_pyarray(py), Array1::from_vec(globals).into_pyarray(py)))
}
