//! Comparing one step: the legal list, the state after it.

use serde_json::Value;

use super::report::Difference;
use crate::game::Game;
use crate::moves::MoveList;
use crate::setup::{Profile, Setup};
use crate::state::Phase;

/// Profile deployed: aliases N1 and N2 of process_line and choose_line_option.
pub(super) fn normalised(setup: Setup, text: &str) -> String {
    if setup.profile() == Profile::Deployed {
        let wanted = setup.board().line_length(setup.players());
        if let Some(line) = text.strip_prefix("process_line ") {
            if line.split(';').count() > wanted {
                return format!("choose_line_option {line} collapse={line}");
            }
        } else if let Some((line, chosen)) =
            text.strip_prefix("choose_line_option ").and_then(|rest| rest.split_once(" collapse="))
        {
            if line == chosen && line.split(';').count() == wanted {
                return format!("process_line {line}");
            }
        }
    }
    text.to_string()
}

pub(super) fn compare_legal(game: &Game, recorded: &Value, list: &MoveList) -> Result<(), Difference> {
    let phase = game.phase();
    let rule = || format!("the legal moves in {} ({})", phase.name(), rules_of(phase));
    let expected = recorded_moves(game.setup(), recorded)
        .map_err(|found| Difference::new(rule(), "a list of moves, each once", found))?;
    let mut found: Vec<String> = list.iter().map(|one| game.describe(*one)).collect();
    found.sort_unstable();
    if expected == found {
        return Ok(());
    }
    let missing: Vec<&String> = expected.iter().filter(|text| found.binary_search(text).is_err()).collect();
    let extra: Vec<&String> = found.iter().filter(|text| expected.binary_search(text).is_err()).collect();
    let shown = |moves: Vec<&String>| {
        let first: Vec<&str> = moves.iter().take(6).map(|text| text.as_str()).collect();
        format!("{}{}", first.join(" | "), if moves.len() > 6 { " | ..." } else { "" })
    };
    Err(Difference::new(
        rule(),
        format!("{} moves; not offered by the engine: {}", expected.len(), shown(missing)),
        format!("{} moves; not in the record: {}", found.len(), shown(extra)),
    ))
}

/// The moves of a recorded list, sorted; otherwise what is wrong with it.
fn recorded_moves(setup: Setup, recorded: &Value) -> Result<Vec<String>, String> {
    let entries = recorded.as_array().ok_or_else(|| recorded.to_string())?;
    let mut moves = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let text = entry.as_str().ok_or_else(|| format!("legal[{index}] is no text: {entry}"))?;
        moves.push(normalised(setup, text));
    }
    moves.sort_unstable();
    if setup.profile() == Profile::Deployed {
        moves.dedup(); // Alias N3.
    }
    match moves.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("listed twice: {}", pair[0])),
        None => Ok(moves),
    }
}

/// Compares with the recorded state; the differing fields otherwise, under the rule that `rule` names.
pub(super) fn compare_state(game: &Game, expected: &Value, rule: impl FnOnce() -> String) -> Result<(), Difference> {
    let found = game.to_json(expected.get("turn").is_some());
    if found == *expected {
        return Ok(());
    }
    let (mut wanted, mut seen) = (Vec::new(), Vec::new());
    differences("", expected, &found, &mut wanted, &mut seen);
    Err(Difference::new(rule(), wanted.join(", "), seen.join(", ")))
}

/// Compares the state after a move (in notation) that was played in `phase` with the recorded one.
pub(super) fn compare_state_after(game: &Game, text: &str, phase: Phase, expected: &Value) -> Result<(), Difference> {
    compare_state(game, expected, || format!("the state after {text} in {} ({})", phase.name(), rules_of(phase)))
}

fn differences(place: &str, expected: &Value, found: &Value, wanted: &mut Vec<String>, seen: &mut Vec<String>) {
    if let (Value::Object(left), Value::Object(right)) = (expected, found) {
        let extra = right.keys().filter(|key| !left.contains_key(*key));
        for key in left.keys().chain(extra) {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            let value = |side: &serde_json::Map<String, Value>| side.get(key).cloned().unwrap_or(Value::Null);
            differences(&place, &value(left), &value(right), wanted, seen);
        }
    } else if expected != found {
        wanted.push(format!("{place} = {expected}"));
        seen.push(format!("{place} = {found}"));
    }
}

/// Where rules.md specifies a phase.
const fn rules_of(phase: Phase) -> &'static str {
    match phase {
        Phase::RingPlacement => "rules 4.1, 10; R080-R082",
        Phase::Movement => "rules 4.2, 4.3, 8; R091-R103, R110-R115",
        Phase::Capture | Phase::ChainCapture => "rules 4.3; R101-R103",
        Phase::LineProcessing => "rules 5; R120-R123",
        Phase::TerritoryProcessing => "rules 6; R140-R145",
        Phase::ForcedElimination => "rules 7; R072, R100, R205, R206",
        Phase::GameOver => "rules 9; R170-R178",
    }
}
