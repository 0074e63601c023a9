//! The PyO3 face, `ringrift_core._engine`: thin, checked, and without rules of its own. `_engine.pyi` documents it.

mod drivers;
mod encoding;
mod errors;
mod host;
mod measures;
mod players;
mod position;
mod records;
mod verify;
mod watchdog;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::encoding::ENCODING_VERSION;
use crate::players::features::FEATURES;
use crate::players::nnue::inputs::INPUTS_VERSION;

/// The native rules engine of RingRift.
#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("RulesError", py.get_type::<errors::RulesError>())?;
    module.add("ENCODING_VERSION", ENCODING_VERSION)?;
    module.add("NNUE_INPUTS_VERSION", INPUTS_VERSION)?;
    module.add("HEURISTIC_FEATURES", PyTuple::new(py, FEATURES)?)?;
    module.add_class::<position::Move>()?;
    module.add_class::<position::Outcome>()?;
    module.add_class::<position::Position>()?;
    module.add_class::<players::Choice>()?;
    module.add_class::<players::Judge>()?;
    module.add_class::<players::Player>()?;
    module.add_class::<records::GameRecord>()?;
    module.add_class::<records::GroupResult>()?;
    module.add_class::<records::Replay>()?;
    module.add_class::<records::Searched>()?;
    module.add_class::<drivers::CoreTime>()?;
    module.add_class::<measures::ConformReport>()?;
    module.add_class::<measures::BenchFigures>()?;
    module.add_class::<measures::SearchFigures>()?;
    module.add_class::<measures::JudgeFigures>()?;
    module.add_function(wrap_pyfunction!(players::heuristic_weights, module)?)?;
    module.add_function(wrap_pyfunction!(drivers::play_games, module)?)?;
    module.add_function(wrap_pyfunction!(drivers::play_match, module)?)?;
    module.add_function(wrap_pyfunction!(drivers::play_matches, module)?)?;
    module.add_function(wrap_pyfunction!(records::replay, module)?)?;
    module.add_function(wrap_pyfunction!(records::searches_from_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(records::before_decision, module)?)?;
    module.add_function(wrap_pyfunction!(records::notation, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::encoding_shape, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::policy_size, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::encode_position, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::move_keys, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::draw_decisions, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::encode_rows, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::unpack_planes, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::pack_rows, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::unpack_rows, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::nnue_shape, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::nnue_rows, module)?)?;
    module.add_function(wrap_pyfunction!(encoding::nnue_symmetries, module)?)?;
    module.add_function(wrap_pyfunction!(verify::verify_games, module)?)?;
    module.add_function(wrap_pyfunction!(measures::conform, module)?)?;
    module.add_function(wrap_pyfunction!(measures::bench, module)?)?;
    module.add_function(wrap_pyfunction!(measures::bench_judge, module)?)?;
    module.add_function(wrap_pyfunction!(measures::bench_orderings, module)?)?;
    module.add_function(wrap_pyfunction!(measures::bench_search, module)?)?;
    module.add_function(wrap_pyfunction!(watchdog::watch_signals, module)?)?;
    Ok(())
}
