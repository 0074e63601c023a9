//! The Python caller behind a driver.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use numpy::ndarray::{Array2, Array4};
use numpy::{IntoPyArray, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::drivers::host::{Evaluated, Host, Take};
use crate::encoding::Shape;
use crate::players::decision::Wish;
use crate::python::errors::refuse;
use crate::python::records::GameRecord;
use crate::records::game;
use crate::setup::Setup;

/// The Python side of a run: evaluators, what becomes of games, and signals. Works on the thread of the call, without the
/// GIL except inside these methods.
pub struct PythonHost {
    pub setup: Setup,
    pub evaluators: Vec<Arc<Py<PyAny>>>,
    pub names: Vec<String>,
    pub taker: Taker,
}

/// What becomes of finished games.
pub enum Taker {
    /// They are handed to a callable, as records.
    HandedOver(Py<PyAny>),
    /// They are kept, by the number of their plan; a callable is told how many there are.
    Kept { games: BTreeMap<usize, game::GameRecord>, progress: Option<Py<PyAny>> },
}

impl Taker {
    pub fn kept(self) -> BTreeMap<usize, game::GameRecord> {
        match self {
            Taker::Kept { games, .. } => games,
            Taker::HandedOver(_) => BTreeMap::new(),
        }
    }
}

impl PythonHost {
    /// For a single decision, which finishes no game.
    pub fn without_games(setup: Setup, evaluators: Vec<Arc<Py<PyAny>>>) -> PythonHost {
        PythonHost {
            setup,
            evaluators,
            names: Vec::new(),
            taker: Taker::Kept { games: BTreeMap::new(), progress: None },
        }
    }
}

/// An evaluator's output, which must have this shape.
fn shaped<'py>(output: &Bound<'py, PyAny>, wanted: [usize; 2]) -> PyResult<PyReadonlyArray2<'py, f32>> {
    let array: PyReadonlyArray2<'_, f32> = output
        .extract()
        .map_err(|_| refuse(format!("evaluator: expected a float32 array of shape {wanted:?}, found {output}")))?;
    if array.shape() != wanted {
        let found = array.shape();
        return Err(refuse(format!("evaluator: expected an array of shape {wanted:?}, found {found:?}")));
    }
    Ok(array)
}

/// Its numbers row by row, where they lie if they lie so.
fn numbers<'a>(array: &'a PyReadonlyArray2<'_, f32>) -> Cow<'a, [f32]> {
    match array.as_slice() {
        Ok(numbers) => Cow::Borrowed(numbers),
        Err(_) => Cow::Owned(array.as_array().iter().copied().collect()),
    }
}

impl Host<PyErr> for PythonHost {
    fn evaluate(
        &mut self,
        evaluator: usize,
        rows: usize,
        planes: Vec<f32>,
        globals: Vec<f32>,
        policy: Wish,
        take: Take<'_>,
    ) -> PyResult<()> {
        let shape = Shape::of(self.setup.board(), self.setup.players());
        let wanted = [rows, self.setup.players()];
        let broken = |error: numpy::ndarray::ShapeError| refuse(error.to_string());
        let planes = Array4::from_shape_vec((rows, shape.planes, shape.side, shape.side), planes).map_err(broken)?;
        let globals = Array2::from_shape_vec((rows, shape.globals), globals).map_err(broken)?;
        Python::attach(|py| {
            let answer = self.evaluators[evaluator].call1(py, (planes.into_pyarray(py), globals.into_pyarray(py)))?;
            let answer = answer.bind(py);
            match answer.cast::<PyTuple>() {
                Err(_) if policy == Wish::Needed => Err(refuse(
                    "evaluator: expected values and policy, found values alone, by which no player can play its policy",
                )),
                Err(_) => {
                    let values = shaped(answer, wanted)?;
                    let values = numbers(&values);
                    py.detach(|| take(Evaluated { values: &values, policy: None }));
                    Ok(())
                }
                Ok(both) if both.len() == 2 => {
                    let values = shaped(&both.get_item(0)?, wanted)?;
                    let logits = shaped(&both.get_item(1)?, [rows, shape.policy])?;
                    let (values, logits) = (numbers(&values), numbers(&logits));
                    let policy = (policy > Wish::No).then_some(&*logits);
                    py.detach(|| take(Evaluated { values: &values, policy }));
                    Ok(())
                }
                Ok(other) => Err(refuse(format!(
                    "evaluator: expected values, or values and policy, found {} items",
                    other.len()
                ))),
            }
        })
    }

    fn receive(&mut self, finished: Vec<(usize, game::GameRecord)>) -> PyResult<bool> {
        let players = self.setup.players();
        Python::attach(|py| {
            py.check_signals()?;
            let answer = match &mut self.taker {
                Taker::HandedOver(taker) => {
                    let record = |(_, played)| GameRecord::of(played, &self.names, players);
                    taker.call1(py, (finished.into_iter().map(record).collect::<Vec<_>>(),))?
                }
                Taker::Kept { games, progress } => {
                    games.extend(finished);
                    let Some(progress) = progress else { return Ok(true) };
                    progress.call1(py, (games.len(),))?
                }
            };
            Ok(answer.is_none(py) || answer.is_truthy(py)?)
        })
    }
}
