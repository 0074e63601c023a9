//! The lines of a file: which of them are positions, and which make up a game.

use rayon::prelude::*;

use super::game::conform_game;
use super::line::{parse_line, Line};
use super::position::conform_positions;
use super::report::{Difference, Report};
use crate::setup::Profile;

/// Replays the text of a trace or position file; `name` stands in messages. Each header begins another game; positions
/// stand before the first.
pub fn conform_text(name: &str, text: &str, profile: Profile) -> Report {
    let lines = text.lines().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text)).enumerate();
    let lines = lines.map(|(index, text)| Line { number: index + 1, text });
    let lines: Vec<Line> = lines.filter(|line| !line.text.trim().is_empty()).collect();
    if lines.is_empty() {
        let difference = Difference::new("the file", "a trace or positions", "an empty file");
        return Report::default().of_mismatch(difference.at(name, 1, "reading"));
    }
    let mut starts: Vec<usize> = (0..lines.len()).filter(|index| is_header(lines[*index].text)).collect();
    let mut report = Report::default();
    let first = starts.first().copied().unwrap_or(lines.len());
    if opens_positions(&lines[..first]) {
        report = conform_positions(name, &lines[..first], profile);
    } else if first > 0 {
        starts.insert(0, 0); // A game whose header is damaged.
    }
    let ends = starts.iter().copied().skip(1).chain([lines.len()]);
    let games: Vec<&[Line]> = starts.iter().zip(ends).map(|(start, end)| &lines[*start..end]).collect();
    let games: Vec<Report> = games.par_iter().map(|lines| conform_game(name, lines, profile)).collect();
    games.into_iter().fold(report, Report::add)
}

fn is_header(line: &str) -> bool {
    // Most lines are steps: they are parsed once only, when they are replayed.
    line.contains("\"engine\"") && parse_line(line).is_ok_and(|line| line.get("engine").is_some())
}

/// Are these lines positions, by the first of them that is JSON?
fn opens_positions(lines: &[Line]) -> bool {
    let first = lines.iter().find_map(|line| parse_line(line.text).ok());
    first.is_some_and(|line| {
        let has = |field: &str| line.get(field).is_some();
        has("about") || has("id") || has("state") && has("legal")
    })
}
