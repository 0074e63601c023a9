//! What a conformance run tells: counts, the first difference, and the paths that it could not read.

use std::fmt;

use serde_json::{json, Value};

use crate::error::Error;

/// What a conformance run found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub games: u64,
    /// Recorded moves replayed and compared.
    pub steps: u64,
    pub positions: u64,
    /// Games and positions with a difference; a game is left at its first one.
    pub mismatches: u64,
    /// The first difference, by file name and line.
    pub first: Option<Mismatch>,
    /// Paths that could not be read, in the order given.
    pub unreadable: Vec<Error>,
}

impl Report {
    /// The one-line summary.
    pub fn to_json(&self) -> Value {
        json!({"games": self.games, "steps": self.steps, "positions": self.positions, "mismatches": self.mismatches})
    }

    pub(super) fn add(mut self, other: Report) -> Report {
        self.games += other.games;
        self.steps += other.steps;
        self.positions += other.positions;
        self.mismatches += other.mismatches;
        self.first = self.first.or(other.first);
        self.unreadable.extend(other.unreadable);
        self
    }

    pub(super) fn of_mismatch(mut self, mismatch: Mismatch) -> Report {
        self.mismatches += 1;
        self.first.get_or_insert(mismatch);
        self
    }
}

/// One difference between a record and the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub file: String,
    /// 1-based line of the file.
    pub line: usize,
    /// Game step (`step 17`) or position name.
    pub step: String,
    /// What differs, such as `legal moves in movement (rules 4.2, 4.3; R091-R103)`.
    pub rule: String,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}, line {}, {}", self.file, self.line, self.step)?;
        writeln!(out, "  rule:     {}", self.rule)?;
        writeln!(out, "  expected: {}", self.expected)?;
        write!(out, "  found:    {}", self.found)
    }
}

/// A difference before it is known where it stands: (rule, expected, found).
pub(super) struct Difference {
    rule: String,
    expected: String,
    found: String,
}

impl Difference {
    pub fn new(rule: impl Into<String>, expected: impl fmt::Display, found: impl fmt::Display) -> Difference {
        Difference { rule: rule.into(), expected: expected.to_string(), found: found.to_string() }
    }

    /// The difference with its place.
    pub fn at(self, file: &str, line: usize, step: impl Into<String>) -> Mismatch {
        let Difference { rule, expected, found } = self;
        Mismatch { file: file.into(), line, step: step.into(), rule, expected, found }
    }
}
