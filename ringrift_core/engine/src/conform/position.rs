//! Hand-made positions: their legal list, and the state after each legal move.

use std::collections::HashSet;

use rayon::prelude::*;
use serde_json::Value;

use super::compare::{compare_legal, compare_state, compare_state_after, normalised};
use super::header::setup_of;
use super::line::{parse_line, Line};
use super::report::{Difference, Report};
use crate::game::Game;
use crate::moves::MoveList;
use crate::setup::Profile;

/// Compares every position; one mismatch for all of them if they say that they are of another profile.
pub(super) fn conform_positions(name: &str, lines: &[Line], profile: Profile) -> Report {
    for line in lines {
        if let Some(other) = other_profile(line.text, profile) {
            let expected = format!("positions of profile {}", profile.name());
            let found = format!("positions of profile {0}: replay them with --profile {0}", other.name());
            let difference = Difference::new("the profile", expected, found);
            return Report::default().of_mismatch(difference.at(name, line.number, "the first line"));
        }
    }
    let reports: Vec<Report> = lines.par_iter().map(|line| conform_line(name, *line, profile)).collect();
    let report = reports.into_iter().fold(Report::default(), Report::add);
    if report == Report::default() {
        let difference = Difference::new("the file", "positions", "their description alone");
        return report.of_mismatch(difference.at(name, lines[0].number, "reading"));
    }
    report
}

/// The profile that a describing line names, if it is not the one wanted.
fn other_profile(line: &str, wanted: Profile) -> Option<Profile> {
    if !line.contains("\"about\"") {
        return None;
    }
    let line = parse_line(line).ok()?;
    let about = line["about"].as_str()?;
    let named = |profile: &Profile| about.contains(&format!("profile {}", profile.name()));
    [Profile::Canonical, Profile::Deployed].into_iter().find(|profile| *profile != wanted && named(profile))
}

fn conform_line(name: &str, line: Line, profile: Profile) -> Report {
    let report = Report { positions: 1, ..Report::default() };
    let position = match parse_line(line.text) {
        Ok(position) if position.get("about").is_some() => return Report::default(),
        Ok(position) => position,
        Err(difference) => return report.of_mismatch(difference.at(name, line.number, "position")),
    };
    let mut steps = 0;
    let result = compare_position(&position, profile, &mut steps);
    let report = Report { steps, ..report };
    match result {
        Ok(()) => report,
        Err(difference) => {
            let step = format!("position {}", position["id"].as_str().unwrap_or("without id"));
            report.of_mismatch(difference.at(name, line.number, step))
        }
    }
}

fn compare_position(position: &Value, profile: Profile, steps: &mut u64) -> Result<(), Difference> {
    let setup = setup_of(position, profile)?;
    let game = Game::from_json(setup, &position["state"])
        .map_err(|error| Difference::new("the position", "a possible state", error))?;
    compare_state(&game, &position["state"], || "reading and writing the state".into())?;
    let mut list = MoveList::new();
    game.legal_moves(&mut list);
    compare_legal(&game, &position["legal"], &list)?;
    let after = position["after"].as_object();
    let after = after.ok_or_else(|| Difference::new("the position", "a state after each move", &position["after"]))?;
    let mut seen = HashSet::new();
    for (text, expected) in after {
        let text = normalised(setup, text);
        compare_after(&game, &text, expected)?;
        seen.insert(text);
        *steps += 1;
    }
    match list.iter().map(|one| game.describe(*one)).find(|text| !seen.contains(text)) {
        Some(missing) => {
            let expected = format!("a state after {missing}");
            Err(Difference::new("the states after each legal move, after", expected, "no entry of that move"))
        }
        None => Ok(()),
    }
}

fn compare_after(game: &Game, text: &str, expected: &Value) -> Result<(), Difference> {
    let mut next = game.clone();
    let played = game.parse_move(text).and_then(|one| next.play(one));
    played.map_err(|error| Difference::new("the states after each legal move, after", "a legal move", error))?;
    compare_state_after(&next, text, game.phase(), expected)
}
