//! `Position`, `Move` and `Outcome`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::drivers::rng::{stream, Purpose};
use crate::game::Game;
use crate::moves::{self, MoveList};
use crate::python::errors::{guarded, refuse, setup_of};
use crate::state::{self, Phase};

/// One recorded move, in notation.
#[pyclass(frozen, eq, hash, module = "ringrift_core._engine")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Move {
    notation: String,
    automatic: bool,
}

impl Move {
    pub fn of(game: &Game, one: moves::Move) -> Move {
        Move { notation: game.describe(one), automatic: one.kind().is_automatic() }
    }
}

#[pymethods]
impl Move {
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

    fn advance(&mut self, one: moves::Move) {
        let past = Past { game: self.game.clone(), played: Move::of(&self.game, one) };
        self.game.apply(one);
        self.history.push(Arc::new(past));
    }

    fn play_text(&mut self, text: &str) -> PyResult<()> {
        let one = self.game.parse_move(text)?;
        let before = self.game.clone();
        self.game.play(one)?;
        self.history.push(Arc::new(Past { played: Move::of(&before, one), game: before }));
        Ok(())
    }
}

#[pymethods]
impl Position {
    #[new]
    #[pyo3(signature = (board = "square8", players = 2, profile = "canonical", swap = None))]
    fn new(board: &str, players: usize, profile: &str, swap: Option<bool>) -> PyResult<Position> {
        let setup = setup_of(board, players, profile, swap)?;
        guarded(|| Ok(Position::around(Game::new(setup))))
    }

    #[staticmethod]
    #[pyo3(signature = (text, board, players, profile = "canonical", swap = None))]
    fn from_json(text: &str, board: &str, players: usize, profile: &str, swap: Option<bool>) -> PyResult<Position> {
        let setup = setup_of(board, players, profile, swap)?;
        guarded(|| Ok(Position::around(Game::from_json_text(setup, text)?)))
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
        match r#move.extract::<String>() {
            Ok(text) => guarded(|| self.play_text(&text)),
            Err(_) => Err(refuse(format!("move: expected a Move or its notation, found {}", r#move.get_type()))),
        }
    }

    fn undo(&mut self) -> PyResult<Move> {
        let past = self.history.pop().ok_or_else(|| refuse("undo: no move has been played on this object"))?;
        self.game = past.game.clone();
        Ok(past.played.clone())
    }

    #[pyo3(signature = (seed, max_moves = None))]
    fn play_random(&mut self, py: Python<'_>, seed: u64, max_moves: Option<u64>) -> PyResult<u64> {
        py.detach(|| {
            guarded(|| {
                let mut random = stream(seed, Purpose::Playout, 0);
                let mut list = MoveList::new();
                let mut played = 0;
                while self.game.phase() != Phase::GameOver && max_moves.is_none_or(|most| played < most) {
                    self.game.legal_moves(&mut list);
                    self.advance(list[random.below(list.len())]);
                    played += 1;
                }
                Ok(played)
            })
        })
    }

    fn to_json(&self) -> PyResult<String> {
        guarded(|| Ok(self.game.to_json(true).to_string()))
    }

    fn outcome(&self) -> Option<Outcome> {
        self.game.outcome().map(|outcome| Outcome::of(outcome, self.players()))
    }

    fn copy(&self) -> Position {
        Position { game: self.game.clone(), history: self.history.clone() }
    }

    fn identity_key(&self) -> u64 {
        self.game.identity_key()
    }

    fn search_key(&self) -> u64 {
        self.game.search_key()
    }
}
