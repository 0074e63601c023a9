//! A line of a file.

use serde_json::Value;

use super::report::Difference;

/// A line that is not blank.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// 1-based.
    pub number: usize,
    pub text: &'a str,
}

pub(super) fn parse_line(line: &str) -> Result<Value, Difference> {
    let wrong = |found: String| Difference::new("the line", "a JSON object", found);
    let value: Value = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
    match value.is_object() {
        true => Ok(value),
        false => Err(wrong(line.chars().take(60).collect())),
    }
}
