//! `conform`, and the measures of speed.

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::bench as measure;
use crate::conform as conformance;
use crate::players::linear::Linear;
use crate::players::AnyJudge;
use crate::python::errors::{guarded, refuse, setup_of};
use crate::python::players::Judge;
use crate::setup::{Profile, Setup};
use crate::with_geometry;

/// What a conformance run found.
#[pyclass(frozen, get_all, module = "ringrift_core._engine")]
pub struct ConformReport {
    games: u64,
    steps: u64,
    positions: u64,
    mismatches: u64,
    first_mismatch: Option<String>,
    unreadable: Vec<String>,
}

#[pyfunction]
#[pyo3(signature = (paths, profile = "canonical"))]
pub fn conform(py: Python<'_>, paths: Vec<PathBuf>, profile: &str) -> PyResult<ConformReport> {
    let profile = Profile::from_name(profile)
        .ok_or_else(|| refuse(format!("profile: {profile:?} is neither canonical nor deployed")))?;
    let report = py.detach(|| guarded(|| Ok(conformance::conform(&paths, profile))))?;
    Ok(ConformReport {
        games: report.games,
        steps: report.steps,
        positions: report.positions,
        mismatches: report.mismatches,
        first_mismatch: report.first.map(|mismatch| mismatch.to_string()),
        unreadable: report.unreadable.iter().map(ToString::to_string).collect(),
    })
}

/// Speed of the rules on one core.
#[pyclass(frozen, get_all, module = "ringrift_core._engine")]
pub struct BenchFigures {
    games: u64,
    moves_per_second: f64,
    decisions_per_second: f64,
    legal_list_ns: f64,
    legal_list_length: f64,
    apply_ns: f64,
    clone_ns: f64,
    state_bytes: usize,
}

#[pyfunction]
#[pyo3(signature = (board, players, seconds = 1.0, seed = 1))]
pub fn bench(py: Python<'_>, board: &str, players: usize, seconds: f64, seed: u64) -> PyResult<BenchFigures> {
    let setup = setup_of(board, players, "canonical", None)?;
    let seconds = seconds_of(seconds)?;
    let figures = py.detach(|| guarded(|| Ok(measure::bench_rules(setup.board(), players, seconds, seed)?)))?;
    Ok(BenchFigures {
        games: figures.games,
        moves_per_second: figures.moves_per_second,
        decisions_per_second: figures.decisions_per_second,
        legal_list_ns: figures.legal_moves_ns,
        legal_list_length: figures.legal_moves_mean,
        apply_ns: figures.apply_ns,
        clone_ns: figures.clone_ns,
        state_bytes: figures.state_bytes,
    })
}

fn seconds_of(seconds: f64) -> PyResult<f64> {
    if seconds > 0.0 && seconds.is_finite() {
        return Ok(seconds);
    }
    Err(refuse(format!("seconds: {seconds} is not a positive number")))
}

/// The judge to measure, which answers at once; without one the hand-set weights.
fn measurable(judge: Option<PyRef<'_, Judge>>, setup: &Setup) -> PyResult<AnyJudge> {
    let hand_set = || AnyJudge::Linear(Linear::of_setting("baseline").unwrap_or_default());
    let judge = judge.map_or_else(hand_set, |judge| judge.judge().clone());
    if let Some(known) = judge.configuration() {
        known.check(setup)?;
    }
    match judge {
        AnyJudge::Asked(_) => Err(refuse("judge: has to be asked: its evaluator is what to measure")),
        at_once => Ok(at_once),
    }
}

/// Runs one expression with a judge that answers at once, compiled for each kind.
macro_rules! with_judge {
    ($any:expr, $judge:ident => $body:expr) => {
        match $any {
            AnyJudge::Linear($judge) => $body,
            AnyJudge::Mlp($judge) => $body,
            AnyJudge::Nnue($judge) => $body,
            AnyJudge::Asked(_) => unreachable!("refused by measurable"),
        }
    };
}

/// Speed of minimax search on one core.
#[pyclass(frozen, get_all, module = "ringrift_core._engine")]
pub struct SearchFigures {
    decisions: u64,
    nodes_per_second: f64,
    mean_depth: f64,
}

#[pyfunction]
#[pyo3(signature = (board, players, nodes, seconds = 1.0, seed = 1, judge = None))]
pub fn bench_search(
    py: Python<'_>,
    board: &str,
    players: usize,
    nodes: u64,
    seconds: f64,
    seed: u64,
    judge: Option<PyRef<'_, Judge>>,
) -> PyResult<SearchFigures> {
    let setup = setup_of(board, players, "canonical", None)?;
    let (seconds, judge) = (seconds_of(seconds)?, measurable(judge, &setup)?);
    let figures = py.detach(|| {
        guarded(|| {
            Ok(with_geometry!(setup.board(), G => with_judge!(&judge, judge =>
                measure::bench_search::<G, _>(setup, judge, nodes, seconds, seed))))
        })
    })?;
    Ok(SearchFigures {
        decisions: figures.decisions,
        nodes_per_second: figures.nodes_per_second,
        mean_depth: figures.mean_depth,
    })
}

/// Speed of a judge on one core.
#[pyclass(frozen, get_all, module = "ringrift_core._engine")]
pub struct JudgeFigures {
    evaluations: u64,
    from_parent_ns: f64,
    refreshed_ns: f64,
}

#[pyfunction]
#[pyo3(signature = (board, players, judge = None, *, positions = 200, seconds = 1.0, seed = 1))]
pub fn bench_judge(
    py: Python<'_>,
    board: &str,
    players: usize,
    judge: Option<PyRef<'_, Judge>>,
    positions: usize,
    seconds: f64,
    seed: u64,
) -> PyResult<JudgeFigures> {
    let setup = setup_of(board, players, "canonical", None)?;
    let (seconds, judge) = (seconds_of(seconds)?, measurable(judge, &setup)?);
    let figures = py.detach(|| {
        guarded(|| {
            Ok(with_geometry!(setup.board(), G => with_judge!(&judge, judge =>
                measure::bench_judge::<G, _>(setup, judge, positions, seconds, seed))))
        })
    })?;
    Ok(JudgeFigures {
        evaluations: figures.evaluations,
        from_parent_ns: figures.from_parent_ns,
        refreshed_ns: figures.refreshed_ns,
    })
}

/// (name, mean nodes, effective branching factor) of each way of ordering moves.
#[pyfunction]
#[pyo3(signature = (board, players, depth, positions, seed = 1))]
pub fn bench_orderings(
    py: Python<'_>,
    board: &str,
    players: usize,
    depth: u32,
    positions: usize,
    seed: u64,
) -> PyResult<Vec<(&'static str, f64, f64)>> {
    let setup = setup_of(board, players, "canonical", None)?;
    if depth == 0 || positions == 0 {
        return Err(refuse("depth and positions count from 1"));
    }
    let ways =
        py.detach(|| guarded(|| Ok(measure::bench_orderings(setup.board(), players, depth, positions, seed)?)))?;
    Ok(ways.into_iter().map(|way| (way.way, way.nodes, way.branching)).collect())
}
