//! `Position`, `Move` and `Outcome`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::encoding::exact;
use crate::error::Error;
use crate::game::Game;
use crate::moves::{self, MoveList};
use crate::python::errors::{guarded, refuse, setup_of, text_of, whole_number, Players, Text};
use crate::rng::{stream, Purpose};
use crate::state::{self, Phase};
use crate::symmetry::Symmetry;
use crate::with_state;

/// One recorded move, in notation.
#[pyclass(frozen, eq, hash, module = "ringrift_core._engine")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Move {
    code: u32,
    notation: String,
    automatic: bool,
}

impl Move {
    pub fn of(game: &Game, one: moves::Move) -> Move {
        Move { code: one.code(), notation: game.describe(one), automatic: one.kind().is_automatic() }
    }

    pub fn notation(&self) -> &str {
        &self.notation
    }
}

#[pymethods]
impl Move {
    #[getter]
    fn code(&self) -> u32 {
        self.code
    }

    #[getter]
    fn kind(&self) -> &str {
        self.notation.split(' ').next().unwrap_or_default()
    }

    #[getter]
    fn automatic(&self) -> bool {
        self.automatic
    }

    fn __str__(&self) -> &str {
        &self.notation
    }

    fn __repr__(&self) -> String {
        format!("Move('{}')", self.notation)
    }
}

/// How a game ended.
#[pyclass(frozen, eq, hash, module = "ringrift_core._engine")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Outcome {
    #[pyo3(get)]
    winner: usize,
    ranks: Vec<u8>,
    #[pyo3(get)]
    reason: &'static str,
}

impl Outcome {
    pub fn of(outcome: state::Outcome, players: usize) -> Outcome {
        Outcome { winner: outcome.winner + 1, ranks: outcome.ranks[..players].to_vec(), reason: outcome.reason.name() }
    }
}

#[pymethods]
impl Outcome {
    #[getter]
    fn ranks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.ranks)
    }

    fn __repr__(&self) -> String {
        let ranks: Vec<String> = self.ranks.iter().map(u8::to_string).collect();
        format!("Outcome(winner={}, ranks=({}), reason='{}')", self.winner, ranks.join(", "), self.reason)
    }
}

/// What `undo` goes back to.
struct Past {
    game: Game,
    played: Move,
}

/// A game in progress with its history.
#[pyclass(module = "ringrift_core._engine")]
pub struct Position {
    pub game: Game,
    history: Vec<Arc<Past>>,
}

impl Position {
    fn around(game: Game) -> Position {
        Position { game, history: Vec::new() }
    }

    fn is_as_at(&self, length: usize, last: Option<&Arc<Past>>) -> bool {
        let unchanged = match (self.history.last(), last) {
            (Some(left), Some(right)) => Arc::ptr_eq(left, right),
            (left, right) => left.is_none() && right.is_none(),
        };
        unchanged && self.history.len() == length
    }

    fn play_text(&mut self, text: &str) -> PyResult<()> {
        let one = self.game.parse_move(text)?;
        let before = self.game.clone();
        // The caller's words: a move that is not legal here may read otherwise when it is written back.
        self.game.play(one).map_err(|error| Error::new(format!("move {text}"), error.reason()))?;
        self.history.push(Arc::new(Past { played: Move::of(&before, one), game: before }));
        Ok(())
    }
}

/// Plays random moves to the end of the game or `limit` of them: the game then, and its history since.
fn play_randomly(mut game: Game, seed: u64, limit: u64) -> (Game, Vec<Arc<Past>>) {
    let mut random = stream(seed, Purpose::Playout, 0);
    let mut list = MoveList::new();
    let mut played = Vec::new();
    while game.phase() != Phase::GameOver && (played.len() as u64) < limit {
        game.legal_moves(&mut list);
        let one = list[random.below(list.len())];
        played.push(Arc::new(Past { played: Move::of(&game, one), game: game.clone() }));
        game.apply(one);
    }
    (game, played)
}

#[pymethods]
impl Position {
    #[new]
    #[pyo3(signature = (board = Text("square8".into()), players = Players(2), profile = Text("canonical".into()),
        swap = None), text_signature = "(board='square8', players=2, profile='canonical', swap=None)")]
    fn new(board: Text, players: Players, profile: Text, swap: Option<bool>) -> PyResult<Position> {
        let setup = setup_of(&board.0, players.0, &profile.0, swap)?;
        guarded(|| Ok(Position::around(Game::new(setup))))
    }

    #[staticmethod]
    #[pyo3(signature = (text, board, players, profile = Text("canonical".into()), swap = None),
        text_signature = "(text, board, players, profile='canonical', swap=None)")]
    fn from_json(text: Text, board: Text, players: Players, profile: Text, swap: Option<bool>) -> PyResult<Position> {
        let setup = setup_of(&board.0, players.0, &profile.0, swap)?;
        guarded(|| Ok(Position::around(Game::from_json_text(setup, &text.0)?)))
    }

    #[staticmethod]
    fn from_bytes(state: &[u8]) -> PyResult<Position> {
        guarded(|| Ok(Position::around(exact::from_bytes(state)?)))
    }

    #[getter]
    fn board(&self) -> &'static str {
        self.game.setup().board().name()
    }

    #[getter]
    fn players(&self) -> usize {
        self.game.setup().players()
    }

    #[getter]
    fn profile(&self) -> &'static str {
        self.game.setup().profile().name()
    }

    #[getter]
    fn swap(&self) -> bool {
        self.game.setup().swap()
    }

    #[getter]
    fn mover(&self) -> usize {
        self.game.to_move() + 1
    }

    #[getter]
    fn phase(&self) -> &'static str {
        self.game.phase().name()
    }

    #[getter]
    fn turn(&self) -> u32 {
        self.game.turn_number()
    }

    #[getter]
    fn moves(&self) -> Vec<Move> {
        self.history.iter().map(|past| past.played.clone()).collect()
    }

    fn legal_moves(&self) -> PyResult<Vec<Move>> {
        guarded(|| {
            let mut list = MoveList::new();
            self.game.legal_moves(&mut list);
            let mut moves: Vec<Move> = list.iter().map(|one| Move::of(&self.game, *one)).collect();
            moves.sort_unstable_by(|left, right| left.notation.cmp(&right.notation));
            Ok(moves)
        })
    }

    fn play(&mut self, r#move: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(one) = r#move.cast::<Move>() {
            let text = one.get().notation.clone();
            return guarded(|| self.play_text(&text));
        }
        match r#move.cast::<PyString>() {
            Ok(text) => guarded(|| self.play_text(&text_of(text))),
            Err(_) => Err(refuse(format!("move: expected a Move or its notation, found {}", r#move.get_type()))),
        }
    }

    fn undo(&mut self) -> PyResult<Move> {
        let past = self.history.pop().ok_or_else(|| refuse("undo: no move has been played on this object"))?;
        self.game = past.game.clone();
        Ok(past.played.clone())
    }

    /// Plays on a copy and puts it back, so that other threads can read the game meanwhile.
    #[pyo3(signature = (seed, max_moves = None))]
    fn play_random(slf: &Bound<'_, Self>, seed: u64, max_moves: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
        let limit = |value| whole_number::<u64>("max_moves", value, "expected a whole number from 0 to 2^64 - 1");
        let limit = max_moves.map(limit).transpose()?.unwrap_or(u64::MAX);
        let (game, length, last) = {
            let position = slf.borrow();
            (position.game.clone(), position.history.len(), position.history.last().cloned())
        };
        let (game, played) = slf.py().detach(|| guarded(|| Ok(play_randomly(game, seed, limit))))?;
        let mut position = loop {
            match slf.try_borrow_mut() {
                Ok(position) => break position,
                Err(_) => slf.py().detach(std::thread::yield_now), // another thread is reading
            }
        };
        if !position.is_as_at(length, last.as_ref()) {
            return Err(refuse("the game was changed by another thread during its random playout, which is discarded"));
        }
        let count = played.len() as u64;
        position.game = game;
        position.history.extend(played);
        Ok(count)
    }

    fn to_json(&self) -> PyResult<String> {
        guarded(|| Ok(self.game.to_json(true).to_string()))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        guarded(|| Ok(PyBytes::new(py, &with_state!(&self.game, state => exact::to_bytes(state)))))
    }

    fn outcome(&self) -> Option<Outcome> {
        self.game.outcome().map(|outcome| Outcome::of(outcome, self.players()))
    }

    fn copy(&self) -> Position {
        Position { game: self.game.clone(), history: self.history.clone() }
    }

    fn __copy__(&self) -> Position {
        self.copy()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> Position {
        self.copy()
    }

    /// What `__new__` is given before `__setstate__`: together they are how Python pickles.
    fn __getnewargs__(&self) -> (&'static str, usize, &'static str, bool) {
        (self.board(), self.players(), self.profile(), self.swap())
    }

    /// The state that the history begins with, and the moves since.
    fn __getstate__(&self) -> PyResult<(String, Vec<String>)> {
        let first = self.history.first().map_or(&self.game, |past| &past.game);
        let start = guarded(|| Ok(first.to_json(true).to_string()))?;
        Ok((start, self.history.iter().map(|past| past.played.notation.clone()).collect()))
    }

    fn __setstate__(&mut self, state: (String, Vec<String>)) -> PyResult<()> {
        guarded(|| {
            let (start, moves) = state;
            let mut position = Position::around(Game::from_json_text(self.game.setup(), &start)?);
            moves.iter().try_for_each(|one| position.play_text(one))?;
            *self = position;
            Ok(())
        })
    }

    fn symmetric(&self) -> PyResult<Vec<Position>> {
        let setup = self.game.setup();
        if setup.deployed() {
            return Err(refuse("symmetric: the deployed profile has no symmetries"));
        }
        let mapped = |symmetry| Position::around(self.game.mapped(symmetry));
        guarded(|| Ok(Symmetry::all(setup.board()).into_iter().map(mapped).collect()))
    }

    fn identity_key(&self) -> u64 {
        self.game.identity_key()
    }

    fn search_key(&self) -> u64 {
        self.game.search_key()
    }
}
