//! What crosses the border when something is wrong: `RulesError`, one sentence, never a panic.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use pyo3::create_exception;
use pyo3::exceptions::{PyImportError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString};

use crate::board::Board;
use crate::error::Error;
use crate::setup::{Profile, Setup};

create_exception!(
    ringrift_core._engine,
    RulesError,
    PyValueError,
    "An illegal move, an impossible state or broken notation; the message says where and why."
);

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        RulesError::new_err(error.to_string())
    }
}

/// A `RulesError` with this sentence.
pub fn refuse(sentence: impl Into<String>) -> PyErr {
    RulesError::new_err(sentence.into())
}

/// Runs native work; a panic in it, which would be a defect of the engine, becomes an error that says so.
pub fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(refuse(describe_panic(&*panic))))
}

fn describe_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the engine failed, which is a defect to report: {}", text.unwrap_or("no message"))
}

/// Arrays are numpy's, which the rules alone do without.
pub fn require_numpy(py: Python<'_>) -> PyResult<()> {
    match py.import("numpy") {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(PyImportError::new_err(format!("arrays need numpy (pip install 'ringrift[stages]'): {error}")))
        }
    }
}

/// A text from Python. Halves of surrogate pairs, which no name or notation has, are replaced instead of failing here, so
/// that the message is the one for any other unknown text.
pub fn text_of(text: &Bound<'_, PyString>) -> String {
    text.to_string_lossy().into_owned()
}

/// A whole number from Python; `expected` says in words what it may be.
pub fn whole_number<N: for<'a, 'py> FromPyObject<'a, 'py>>(
    name: &str,
    value: &Bound<'_, PyAny>,
    expected: &str,
) -> PyResult<N> {
    value.extract().map_err(|_| match value.is_instance_of::<PyInt>() {
        true => refuse(format!("{name}: {value}: {expected}")),
        false => refuse(format!("{name}: expected a whole number, found {}", value.get_type())),
    })
}

/// A text parameter, read by `text_of`.
pub struct Text(pub String);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Text> {
        let text = value.cast::<PyString>()?;
        Ok(Text(text_of(&text)))
    }
}

/// The parameter `players`.
pub struct Players(pub usize);

impl<'a, 'py> FromPyObject<'a, 'py> for Players {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Players> {
        whole_number("players", &value, "a game has 2, 3 or 4 players").map(Players)
    }
}

/// The setup that Python names. `swap` None: on with two players, off with more.
pub fn setup_of(board: &str, players: usize, profile: &str, swap: Option<bool>) -> PyResult<Setup> {
    let known = Board::ALL.map(Board::name).join(", ");
    let board = Board::from_name(board).ok_or_else(|| refuse(format!("board: {board:?} is none of {known}")))?;
    let profile = Profile::from_name(profile)
        .ok_or_else(|| refuse(format!("profile: {profile:?} is neither canonical nor deployed")))?;
    if swap == Some(true) && players != 2 {
        return Err(refuse(format!("swap: the pie rule is for two players, not {players}")));
    }
    Ok(Setup::new(board, players, profile)?.with_swap(swap.unwrap_or(players == 2)))
}
