//! `play_games`, `play_match` and `play_matches`: the bulk drivers with a Python caller behind them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use pyo3::prelude::*;

use crate::drivers::clock::Clock;
use crate::drivers::match_play::Matches;
use crate::drivers::run::run;
use crate::drivers::selfplay::SelfPlay;
use crate::error::Error;
use crate::moves;
use crate::players::Agent;
use crate::python::errors::{guarded, refuse, setup_of};
use crate::python::host::{PythonHost, Taker};
use crate::python::players::Player;
use crate::python::records::{GameRecord, GroupResult};
use crate::records::packed;
use crate::records::replay::replay;
use crate::setup::Setup;
use crate::with_geometry;

/// What decisions take: in self-play the first player's stand in the opponent's place.
#[pyclass(module = "ringrift_core._engine")]
#[derive(Default)]
pub struct CoreTime {
    opponent: (u64, f64),
    candidate: (u64, f64),
}

#[pymethods]
impl CoreTime {
    #[new]
    fn new() -> CoreTime {
        CoreTime::default()
    }

    #[getter]
    fn candidate(&self) -> (u64, f64) {
        self.candidate
    }

    #[getter]
    fn opponent(&self) -> (u64, f64) {
        self.opponent
    }
}

impl CoreTime {
    /// Adds what a run took: the opponent's part first, then those of all candidates.
    fn add(&mut self, clock: &Clock) {
        for (number, (decisions, time)) in clock.read().into_iter().enumerate() {
            let part = if number == 0 { &mut self.opponent } else { &mut self.candidate };
            *part = (part.0 + decisions, part.1 + time.as_secs_f64());
        }
    }
}

/// The agents of some players, and their names; an error where one of them knows other games.
fn agents_of(
    setup: &Setup,
    players: &[PyRef<'_, Player>],
    evaluators: &mut Vec<Arc<Py<PyAny>>>,
) -> PyResult<(Vec<Agent>, Vec<String>)> {
    let agent = |player: &PyRef<'_, Player>| Ok((player.agent(setup, evaluators)?, player.name().to_string()));
    players.iter().map(agent).collect()
}

/// Prefixes of games from their stored form: legal moves, after which somebody is to decide.
fn prefixes_of(setup: Setup, stored: Vec<Vec<u8>>) -> PyResult<Vec<Vec<moves::Move>>> {
    let read = |(number, bytes): (usize, Vec<u8>)| {
        let named = |error: Error| error.inside(&format!("prefixes[{number}]"));
        let moves = packed::from_bytes(&bytes).map_err(named)?;
        let over = with_geometry!(setup.board(), G => {
            replay::<G>(setup, &moves, |_, _, _| ()).map_err(named)?.state.outcome().is_some()
        });
        if over {
            return Err(refuse(format!("prefixes[{number}]: the game is over after it")));
        }
        Ok(moves)
    };
    stored.into_iter().enumerate().map(read).collect()
}

#[pyfunction]
#[pyo3(signature = (board, players, modes, *, seed, games, first_game = 0, skip = None, profile = "canonical",
    swap = None, max_turns = 500, opening_plies = 0, least_opening_plies = None, opening_group = 1, prefixes = None,
    random_move_rate = 0.0, threads = 0, receive = None, core_time = None))]
#[allow(clippy::too_many_arguments)] // Python's keyword arguments
pub fn play_games(
    py: Python<'_>,
    board: &str,
    players: usize,
    modes: Vec<Vec<PyRef<'_, Player>>>,
    seed: u64,
    games: usize,
    first_game: u64,
    skip: Option<Vec<u64>>,
    profile: &str,
    swap: Option<bool>,
    max_turns: u32,
    opening_plies: usize,
    least_opening_plies: Option<usize>,
    opening_group: u64,
    prefixes: Option<Vec<Vec<u8>>>,
    random_move_rate: f32,
    threads: usize,
    receive: Option<Py<PyAny>>,
    core_time: Option<Py<CoreTime>>,
) -> PyResult<Vec<GameRecord>> {
    let setup = setup_of(board, players, profile, swap)?;
    if modes.is_empty() || modes.iter().any(Vec::is_empty) {
        return Err(refuse("modes: expected at least one mode, each with at least one player"));
    }
    if opening_group == 0 {
        return Err(refuse("opening_group: 0, expected at least 1"));
    }
    if !(0.0..=1.0).contains(&random_move_rate) {
        return Err(refuse(format!("random_move_rate: {random_move_rate} is not between 0 and 1")));
    }
    let opening_plies = (least_opening_plies.unwrap_or(opening_plies), opening_plies);
    if opening_plies.0 > opening_plies.1 {
        return Err(refuse(format!("least_opening_plies: {} of at most {}", opening_plies.0, opening_plies.1)));
    }
    let prefixes = prefixes_of(setup, prefixes.unwrap_or_default())?;
    let mut numbers = 0..;
    let numbered = modes.iter().map(|mode| (&mut numbers).take(mode.len()).collect()).collect();
    let everyone: Vec<PyRef<'_, Player>> = modes.into_iter().flatten().collect();
    let mut evaluators = Vec::new();
    let (agents, names) = agents_of(&setup, &everyone, &mut evaluators)?;
    drop(everyone);
    let skip: HashSet<u64> = skip.into_iter().flatten().collect();
    let numbers: Vec<u64> =
        (first_game..).take(games).filter(|number| skip.is_empty() || !skip.contains(number)).collect();
    let count = numbers.len();
    let play = SelfPlay {
        setup,
        seed,
        numbers,
        modes: numbered,
        max_turns,
        prefixes,
        opening_plies,
        opening_group,
        random_move_rate,
    };
    let taker = match receive {
        Some(callable) => Taker::HandedOver(callable),
        None => Taker::Kept { games: BTreeMap::new(), progress: None },
    };
    let mut host = PythonHost { setup, evaluators, names, taker };
    let clock = core_time.as_ref().map(|_| Clock::of(agents.len()));
    py.detach(|| {
        guarded(|| {
            with_geometry!(setup.board(), G => {
                let plan = |place| play.plan::<G>(place);
                run::<G, PyErr>(setup, &agents, count, &plan, threads, clock.as_ref(), &mut host)
            })
        })
    })?;
    if let (Some(core_time), Some(clock)) = (core_time, clock) {
        core_time.borrow_mut(py).add(&clock);
    }
    let PythonHost { names, taker, .. } = host;
    Ok(taker.kept().into_values().map(|record| GameRecord::of(record, &names, players)).collect())
}

#[pyfunction]
#[pyo3(signature = (board, players, candidate, opponent, *, seed, groups, first_group = 0, profile = "canonical",
    swap = None, max_turns = 500, threads = 0, progress = None, core_time = None))]
#[allow(clippy::too_many_arguments)] // Python's keyword arguments
pub fn play_match(
    py: Python<'_>,
    board: &str,
    players: usize,
    candidate: PyRef<'_, Player>,
    opponent: PyRef<'_, Player>,
    seed: u64,
    groups: usize,
    first_group: u64,
    profile: &str,
    swap: Option<bool>,
    max_turns: u32,
    threads: usize,
    progress: Option<Py<PyAny>>,
    core_time: Option<Py<CoreTime>>,
) -> PyResult<Vec<GroupResult>> {
    let candidates = vec![candidate];
    let matches = play_matches(
        py,
        board,
        players,
        candidates,
        opponent,
        seed,
        groups,
        first_group,
        profile,
        swap,
        max_turns,
        threads,
        progress,
        core_time,
    )?;
    Ok(matches.into_iter().flatten().collect())
}

#[pyfunction]
#[pyo3(signature = (board, players, candidates, opponent, *, seed, groups, first_group = 0, profile = "canonical",
    swap = None, max_turns = 500, threads = 0, progress = None, core_time = None))]
#[allow(clippy::too_many_arguments)] // Python's keyword arguments
pub fn play_matches(
    py: Python<'_>,
    board: &str,
    players: usize,
    candidates: Vec<PyRef<'_, Player>>,
    opponent: PyRef<'_, Player>,
    seed: u64,
    groups: usize,
    first_group: u64,
    profile: &str,
    swap: Option<bool>,
    max_turns: u32,
    threads: usize,
    progress: Option<Py<PyAny>>,
    core_time: Option<Py<CoreTime>>,
) -> PyResult<Vec<Vec<GroupResult>>> {
    let setup = setup_of(board, players, profile, swap)?;
    let entrants = candidates.len();
    let everyone: Vec<PyRef<'_, Player>> = std::iter::once(opponent).chain(candidates).collect();
    let mut evaluators = Vec::new();
    let (agents, names) = agents_of(&setup, &everyone, &mut evaluators)?;
    drop(everyone);
    let taker = Taker::Kept { games: BTreeMap::new(), progress };
    let mut host = PythonHost { setup, evaluators, names, taker };
    let clock = core_time.as_ref().map(|_| Clock::of(agents.len()));
    let (matches, host) = py.detach(|| {
        guarded(|| {
            with_geometry!(setup.board(), G => {
                let matches = Matches::new::<G>(setup, seed, (first_group, groups), entrants, max_turns);
                run::<G, PyErr>(setup, &agents, matches.games(), &|number| matches.plan(number), threads, clock.as_ref(), &mut host)?;
                Ok((matches, host))
            })
        })
    })?;
    if let (Some(core_time), Some(clock)) = (core_time, clock) {
        core_time.borrow_mut(py).add(&clock);
    }
    let PythonHost { names, taker, .. } = host;
    let group = |result| GroupResult::of(py, result, &names);
    matches.results(taker.kept()).into_iter().map(|groups| groups.into_iter().map(group).collect()).collect()
}
