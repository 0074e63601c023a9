//! The one error of the crate: where in the input, and what is wrong with it.

use std::fmt;

/// An input that was refused. Displays as `place: reason`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    place: String,
    reason: String,
}

impl Error {
    pub(crate) fn new(place: impl Into<String>, reason: impl Into<String>) -> Error {
        Error { place: place.into(), reason: reason.into() }
    }

    /// The same error as part of something larger.
    pub(crate) fn inside(self, whole: &str) -> Error {
        Error { place: format!("{whole}, {}", self.place), reason: self.reason }
    }

    /// The field, file or line at fault, such as `state.stk["3,9"]`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What was found there and what would have been right.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for Error {}
