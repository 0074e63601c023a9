//! Records of games, and their replay.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::board::{Geometry, MAX_PLAYERS};
use crate::drivers::match_play;
use crate::game::Game;
use crate::players;
use crate::python::errors::{guarded, refuse, setup_of};
use crate::python::position::{Move, Outcome};
use crate::records::game::{self, game_id};
use crate::records::packed::{from_bytes, to_bytes};
use crate::records::replay as replaying;
use crate::records::searched;
use crate::setup::Setup;
use crate::with_geometry;

/// One finished (or cut) game.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct GameRecord {
    record: game::GameRecord,
    seats: Vec<String>,
}

impl GameRecord {
    /// `names`: of the run's agents.
    pub fn of(record: game::GameRecord, names: &[String], players: usize) -> GameRecord {
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

    #[getter]
    fn searches<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &searched::to_bytes(&self.record.searches, self.seats.len()))
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
#[pyo3(signature = (board, players, moves, decision, *, profile = "canonical", swap = None))]
pub fn before_decision<'py>(
    py: Python<'py>,
    board: &str,
    players: usize,
    moves: &[u8],
    decision: usize,
    profile: &str,
    swap: Option<bool>,
) -> PyResult<Bound<'py, PyBytes>> {
    let setup = setup_of(board, players, profile, swap)?;
    let moves = from_bytes(moves)?;
    let kept = guarded(|| {
        Ok(with_geometry!(setup.board(), G => to_bytes(replaying::before_decision::<G>(setup, &moves, decision)?)))
    })?;
    Ok(PyBytes::new(py, &kept))
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

/// What a search found at one decision.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct Searched {
    searched: searched::Searched,
    players: usize,
}

#[pymethods]
impl Searched {
    #[getter]
    fn decision(&self) -> u32 {
        self.searched.decision
    }

    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.searched.values[..self.players])
    }

    #[getter]
    fn policy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.searched.policy.iter().map(|(one, share)| (one.code(), *share)))
    }

    #[getter]
    fn inner<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let pair = |inner: &players::Inner| {
            let moves = PyTuple::new(py, inner.moves.iter().map(|one| one.code()))?;
            Ok((moves, PyTuple::new(py, &inner.values[..self.players])?))
        };
        PyTuple::new(py, self.searched.inner.iter().map(pair).collect::<PyResult<Vec<_>>>()?)
    }
}

#[pyfunction]
pub fn searches_from_bytes(searches: &[u8], players: usize) -> PyResult<Vec<Searched>> {
    if !(2..=MAX_PLAYERS).contains(&players) {
        return Err(refuse(format!("players: {players}, expected 2 to {MAX_PLAYERS}")));
    }
    let searches = searched::from_bytes(searches, players).map_err(|error| refuse(error.to_string()))?;
    Ok(searches.into_iter().map(|searched| Searched { searched, players }).collect())
}
