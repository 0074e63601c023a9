//! A recorded game: header, steps, end.

use serde_json::{json, Value};

use super::compare::{compare_legal, compare_state_after, normalised};
use super::header::read_header;
use super::line::{parse_line, Line};
use super::report::{Difference, Report};
use crate::error::Error;
use crate::game::Game;
use crate::moves::MoveList;
use crate::setup::Profile;

/// How far a replay has come, for the place of a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Steps,
    End,
    AfterTheEnd,
}

struct Replay {
    game: Game,
    list: MoveList,
    place: Place,
    steps: u64,
    /// Steps that are bookkeeping.
    automatic: u64,
}

/// Replays the lines of one game, up to its first difference.
pub(super) fn conform_game(name: &str, lines: &[Line], profile: Profile) -> Report {
    let mut report = Report { games: 1, ..Report::default() };
    let (header, rest) = (lines[0], &lines[1..]);
    let mut replay = match Replay::start(header.text, profile) {
        Ok(replay) => replay,
        Err(difference) => return report.of_mismatch(difference.at(name, header.number, "header")),
    };
    for line in rest {
        let result = replay.line(line.text);
        report.steps = replay.steps;
        if let Err(difference) = result {
            return report.of_mismatch(difference.at(name, line.number, replay.place()));
        }
    }
    if replay.place == Place::Steps {
        let difference = Difference::new("the game", "a last line with \"end\"", "it stops without one");
        let last = lines[lines.len() - 1].number;
        return report.of_mismatch(difference.at(name, last, replay.place()));
    }
    report
}

impl Replay {
    fn start(header: &str, profile: Profile) -> Result<Replay, Difference> {
        let header = parse_line(header)?;
        let setup = read_header(&header, profile)?;
        let game = Game::from_json(setup, &header["state"])
            .map_err(|error| Difference::new("the header's state", "a possible state", error))?;
        Ok(Replay { game, list: MoveList::new(), place: Place::Steps, steps: 0, automatic: 0 })
    }

    fn place(&self) -> String {
        match self.place {
            Place::Steps => format!("step {}", self.steps),
            Place::End => "end".into(),
            Place::AfterTheEnd => "after the end".into(),
        }
    }

    fn line(&mut self, text: &str) -> Result<(), Difference> {
        if self.place != Place::Steps {
            self.place = Place::AfterTheEnd;
            let found: String = text.chars().take(60).collect();
            return Err(Difference::new("the file", "nothing, or the header of another game", found));
        }
        let record = parse_line(text)?;
        if record.get("end").is_some() {
            self.place = Place::End;
            return self.compare_end(&record);
        }
        self.compare_step(&record)?;
        self.steps += 1;
        Ok(())
    }

    fn compare_step(&mut self, record: &Value) -> Result<(), Difference> {
        if let Some(error) = record.get("error") {
            return Err(Difference::new("the trace", "a move", format!("a recorded engine failure: {error}")));
        }
        if record["i"] != json!(self.steps) {
            return Err(Difference::new("the number of the step, i", self.steps, &record["i"]));
        }
        let phase = self.game.phase();
        if record["p"] != json!(self.game.to_move() + 1) {
            return Err(Difference::new("the seat to move (rules 3)", &record["p"], self.game.to_move() + 1));
        }
        if record["ph"] != json!(phase.name()) {
            return Err(Difference::new("the phase (rules 3)", &record["ph"], phase.name()));
        }
        self.game.legal_moves(&mut self.list);
        compare_legal(&self.game, &record["legal"], &self.list)?;
        let text = self.play(&record["move"])?;
        compare_state_after(&self.game, &text, phase, &record["after"])
    }

    /// Plays the recorded move and returns its notation.
    fn play(&mut self, recorded: &Value) -> Result<String, Difference> {
        let wrong = |found: String| Difference::new("the move played", "a move of the legal list", found);
        let text = match recorded {
            Value::String(text) => normalised(self.game.setup(), text),
            Value::Null => return Err(wrong("no field \"move\"".into())),
            other => return Err(wrong(other.to_string())),
        };
        let refused = |error: Error| wrong(error.to_string());
        let one = self.game.parse_move(&text).map_err(refused)?;
        if self.game.describe(one) != text {
            return Err(Difference::new("the move's notation", self.game.describe(one), &text));
        }
        self.game.play(one).map_err(refused)?;
        self.automatic += one.kind().is_automatic() as u64;
        Ok(text)
    }

    fn compare_end(&self, record: &Value) -> Result<(), Difference> {
        let rule = |what: &str| format!("{what} (rules 9)");
        for (field, what, number) in
            [("moves", "moves", self.steps), ("bookkeeping", "bookkeeping moves", self.automatic)]
        {
            if record[field] != json!(number) {
                return Err(Difference::new(format!("the number of {what}, {field}"), &record[field], number));
            }
        }
        let outcome = self.game.outcome();
        let (status, winner, reason) = match outcome {
            Some(outcome) => ("completed", json!(outcome.winner + 1), outcome.reason.name()),
            None => ("active", Value::Null, "max_moves"),
        };
        if record["status"] != json!(status) {
            return Err(Difference::new(rule("the status"), &record["status"], status));
        }
        if record["winner"] != winner {
            return Err(Difference::new(rule("the winner"), &record["winner"], winner));
        }
        if record["reason"] != json!(reason) {
            return Err(Difference::new(rule("the reason"), &record["reason"], reason));
        }
        let setup = self.game.setup();
        let ranks = outcome.map(|outcome| json!(outcome.ranks[..setup.players()]));
        let Some(ranks) = ranks else { return Ok(()) };
        // Only profile canonical promises them.
        let left_out = setup.profile() == Profile::Deployed && record.get("ranks").is_none();
        if !left_out && record["ranks"] != ranks {
            return Err(Difference::new("the ranks (rules 9.4; R175-R178)", &record["ranks"], ranks));
        }
        Ok(())
    }
}
