//! The header of a game, and what it shares with a hand-made position.

use serde_json::{json, Value};

use super::report::Difference;
use crate::board::Board;
use crate::json::parse_board;
use crate::setup::{Profile, Setup};

/// The setup that `board`, `players` and `swap` name.
pub(super) fn setup_of(record: &Value, profile: Profile) -> Result<Setup, Difference> {
    let wrong = |field: &str, expected: &str| Difference::new(format!("the field {field}"), expected, &record[field]);
    let board = record["board"].as_str().and_then(|name| parse_board(name).ok());
    let board = board.ok_or_else(|| wrong("board", &Board::ALL.map(Board::name).join(", ")))?;
    let players = record["players"].as_u64().and_then(|players| usize::try_from(players).ok());
    let setup = players.and_then(|players| Setup::new(board, players, profile).ok());
    let setup = setup.ok_or_else(|| wrong("players", "2, 3 or 4"))?;
    let swap = match record.get("swap") {
        None => Some(false),
        Some(Value::Bool(swap)) => Some(*swap),
        Some(number) => number.as_u64().filter(|number| *number < 2).map(|number| number == 1),
    };
    Ok(setup.with_swap(swap.ok_or_else(|| wrong("swap", "0 or 1"))?))
}

/// The setup of a game's header, its other fields checked.
pub(super) fn read_header(header: &Value, profile: Profile) -> Result<Setup, Difference> {
    if header.get("engine").is_none() {
        let found = "a line without it";
        return Err(Difference::new("the header field engine", "the name of what played the game", found));
    }
    if header.get("v").is_some_and(|version| *version != json!(1)) {
        return Err(Difference::new("the header field v", "1, the version of the format", &header["v"]));
    }
    let setup = setup_of(header, profile)?;
    let (board, players) = (setup.board(), setup.players());
    let numbers = [
        ("size", board.size() as u32),
        ("rings", board.rings_per_player()),
        ("victory_threshold", board.elimination_target(players)),
        ("territory_min", board.territory_minimum(players)),
        ("lps_rounds", 3),
    ];
    for (field, number) in numbers {
        if header.get(field).is_some_and(|given| *given != json!(number)) {
            return Err(Difference::new(format!("header field {field} (rules 1)"), &header[field], number));
        }
    }
    Ok(setup)
}
