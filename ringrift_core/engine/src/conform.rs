//! Conformance: replays recorded games and hand-made positions, comparing everything at every step.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rayon::prelude::*;
use serde_json::{json, Value};

use crate::board::Board;
use crate::error::Error;
use crate::game::Game;
use crate::json::parse_board;
use crate::moves::MoveList;
use crate::setup::{Profile, Setup};
use crate::state::Phase;

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
}

impl Report {
    /// The one-line summary.
    pub fn to_json(&self) -> Value {
        json!({"games": self.games, "steps": self.steps, "positions": self.positions, "mismatches": self.mismatches})
    }

    fn add(mut self, other: Report) -> Report {
        self.games += other.games;
        self.steps += other.steps;
        self.positions += other.positions;
        self.mismatches += other.mismatches;
        self.first = self.first.or(other.first);
        self
    }

    fn of_mismatch(mut self, mismatch: Mismatch) -> Report {
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
struct Difference {
    rule: String,
    expected: String,
    found: String,
}

impl Difference {
    fn new(rule: impl Into<String>, expected: impl fmt::Display, found: impl fmt::Display) -> Difference {
        Difference { rule: rule.into(), expected: expected.to_string(), found: found.to_string() }
    }
}

/// Replays trace files (`.jsonl`, `.jsonl.gz`), position files and folders of them, on all threads. The result does not
/// depend on the number of threads. Errors: a path that does not exist or holds no such file.
pub fn conform(paths: &[PathBuf], profile: Profile) -> Result<Report, Error> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        collect(path, true, &mut files)?;
        if files.len() == before {
            return Err(Error::new(path.display().to_string(), "holds no .jsonl or .jsonl.gz file"));
        }
    }
    let reports: Vec<Report> = files.par_iter().map(|file| conform_file(file, profile)).collect();
    Ok(reports.into_iter().fold(Report::default(), Report::add))
}

fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::new(path.display().to_string(), error.to_string());
    if path.is_dir() {
        let entries: Result<Vec<_>, _> = std::fs::read_dir(path).map_err(failed)?.collect();
        let mut entries: Vec<PathBuf> = entries.map_err(failed)?.iter().map(|entry| entry.path()).collect();
        entries.sort();
        return entries.iter().try_for_each(|entry| collect(entry, false, files));
    }
    let name = path.to_string_lossy();
    if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") || named {
        std::fs::metadata(path).map_err(failed)?;
        files.push(path.to_path_buf());
    }
    Ok(())
}

/// The text of a file, unpacked if it is gzip.
fn read_text(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked)?;
        bytes = unpacked;
    }
    String::from_utf8(bytes).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
}

fn conform_file(path: &Path, profile: Profile) -> Report {
    let name = path.display().to_string();
    match read_text(path) {
        Ok(text) => conform_text(&name, &text, profile),
        Err(error) => Report::default().of_mismatch(Mismatch {
            file: name,
            line: 1,
            step: "reading".into(),
            rule: "the file".into(),
            expected: "JSON lines, plain or gzip".into(),
            found: error.to_string(),
        }),
    }
}

/// Replays the text of a trace or position file; `name` stands in messages.
pub fn conform_text(name: &str, text: &str, profile: Profile) -> Report {
    let lines: Vec<&str> = text.lines().collect();
    let is_game = |line: &&str| line.contains("\"engine\"");
    if lines.first().is_some_and(is_game) {
        return conform_game(name, &lines, profile);
    }
    let positions: Vec<Report> = lines
        .par_iter()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.contains("\"about\""))
        .map(|(index, line)| conform_position_line(name, index, line, profile))
        .collect();
    let report = positions.into_iter().fold(Report::default(), Report::add);
    if report == Report::default() {
        let found = "neither a game header nor a position";
        return report.of_mismatch(Mismatch {
            file: name.into(),
            line: 1,
            step: "reading".into(),
            rule: "the file".into(),
            expected: "a trace or positions".into(),
            found: found.into(),
        });
    }
    report
}

fn parse_line(line: &str) -> Result<Value, Difference> {
    serde_json::from_str(line).map_err(|error| Difference::new("the line", "a JSON object", error))
}

fn setup_of(header: &Value, profile: Profile) -> Result<Setup, Difference> {
    let wrong = |field: &str, reason: String| Difference::new("the header", format!("a valid {field}"), reason);
    let board = header["board"].as_str().unwrap_or_default();
    let board = parse_board(board).map_err(|reason| wrong("board", reason))?;
    let players = header["players"].as_u64().unwrap_or_default().min(100) as usize;
    let setup = Setup::new(board, players, profile).map_err(|error| wrong("players", error.to_string()))?;
    Ok(setup.with_swap(header["swap"] == json!(1) || header["swap"] == json!(true)))
}

/// The numbers of a trace header that depend on board and players.
fn check_header(header: &Value, setup: Setup) -> Result<(), Difference> {
    let (board, players): (Board, usize) = (setup.board(), setup.players());
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
    Ok(())
}

fn conform_game(name: &str, lines: &[&str], profile: Profile) -> Report {
    let mut report = Report { games: 1, ..Report::default() };
    let mut line = 0;
    let result = replay(lines, profile, &mut line, &mut report.steps);
    match result {
        Ok(()) => report,
        Err(difference) => {
            let step = match line {
                0 => "header".to_string(),
                line if line + 1 == lines.len() => "end".to_string(),
                line => format!("step {}", line - 1),
            };
            report.of_mismatch(located(name, line, step, difference))
        }
    }
}

fn located(name: &str, line: usize, step: String, difference: Difference) -> Mismatch {
    let Difference { rule, expected, found } = difference;
    Mismatch { file: name.into(), line: line + 1, step, rule, expected, found }
}

fn replay(lines: &[&str], profile: Profile, line: &mut usize, steps: &mut u64) -> Result<(), Difference> {
    let header = parse_line(lines[0])?;
    let setup = setup_of(&header, profile)?;
    check_header(&header, setup)?;
    let mut game = Game::from_json(setup, &header["state"])
        .map_err(|error| Difference::new("the header's state", "a possible state", error))?;
    let mut list = MoveList::new();
    for (index, text) in lines.iter().enumerate().skip(1) {
        if text.trim().is_empty() {
            continue;
        }
        *line = index;
        let record = parse_line(text)?;
        if record.get("end").is_some() {
            return compare_end(&game, &record, *steps);
        }
        compare_step(&mut game, &record, &mut list)?;
        *steps += 1;
    }
    Err(Difference::new("the file", "a last line with \"end\"", "the file stops without it"))
}

fn compare_step(game: &mut Game, record: &Value, list: &mut MoveList) -> Result<(), Difference> {
    if let Some(error) = record.get("error") {
        return Err(Difference::new("the trace", "a move", format!("a recorded engine failure: {error}")));
    }
    let phase = game.phase();
    if record["p"] != json!(game.to_move() + 1) {
        return Err(Difference::new("the seat to move (rules 3)", &record["p"], game.to_move() + 1));
    }
    if record["ph"] != json!(phase.name()) {
        return Err(Difference::new("the phase (rules 3)", &record["ph"], phase.name()));
    }
    game.legal_moves(list);
    compare_legal(game, &record["legal"], list)?;
    let text = record["move"].as_str().unwrap_or_default();
    let text = normalised(game.setup(), text);
    let one = game.parse_move(&text).map_err(|error| Difference::new("the move played", &text, error))?;
    if game.describe(one) != text {
        return Err(Difference::new("the move's notation", &text, game.describe(one)));
    }
    game.play(one).map_err(|error| Difference::new("the move played", &text, error))?;
    compare_state(game, &record["after"]).map_err(|(expected, found)| {
        Difference::new(format!("the state after {text} in {} ({})", phase.name(), rules_of(phase)), expected, found)
    })
}

/// Profile deployed: aliases N1 and N2 of process_line and choose_line_option.
fn normalised(setup: Setup, text: &str) -> String {
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

fn compare_legal(game: &Game, expected: &Value, list: &MoveList) -> Result<(), Difference> {
    let phase = game.phase();
    let rule = || format!("the legal moves in {} ({})", phase.name(), rules_of(phase));
    let Some(expected) = expected.as_array() else {
        return Err(Difference::new(rule(), "a list", expected));
    };
    let setup = game.setup();
    let mut expected: Vec<String> =
        expected.iter().map(|text| normalised(setup, text.as_str().unwrap_or_default())).collect();
    let mut found: Vec<String> = list.iter().map(|one| game.describe(*one)).collect();
    expected.sort_unstable();
    found.sort_unstable();
    if setup.profile() == Profile::Deployed {
        expected.dedup();
    }
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

/// Compares with the recorded state; the differing fields otherwise.
fn compare_state(game: &Game, expected: &Value) -> Result<(), (String, String)> {
    let found = game.to_json(expected.get("turn").is_some());
    if found == *expected {
        return Ok(());
    }
    let (mut wanted, mut seen) = (Vec::new(), Vec::new());
    differences("", expected, &found, &mut wanted, &mut seen);
    Err((wanted.join(", "), seen.join(", ")))
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

fn compare_end(game: &Game, record: &Value, steps: u64) -> Result<(), Difference> {
    let rule = |what: &str| format!("{what} (rules 9)");
    if record.get("moves").is_some_and(|moves| *moves != json!(steps)) {
        return Err(Difference::new("the number of moves", &record["moves"], steps));
    }
    let players = game.setup().players();
    let outcome = game.outcome();
    let status = if outcome.is_some() { "completed" } else { "active" };
    if record["status"] != json!(status) {
        return Err(Difference::new(rule("the status"), &record["status"], status));
    }
    let Some(outcome) = outcome else { return Ok(()) };
    if record["winner"] != json!(outcome.winner + 1) {
        return Err(Difference::new(rule("the winner"), &record["winner"], outcome.winner + 1));
    }
    if record["reason"] != json!(outcome.reason.name()) {
        return Err(Difference::new(rule("the reason"), &record["reason"], outcome.reason.name()));
    }
    let ranks = json!(outcome.ranks[..players]);
    if record.get("ranks").is_some_and(|given| *given != ranks) {
        return Err(Difference::new("the ranks (rules 9.4; R175-R178)", &record["ranks"], ranks));
    }
    Ok(())
}

fn conform_position_line(name: &str, index: usize, line: &str, profile: Profile) -> Report {
    let mut report = Report { positions: 1, ..Report::default() };
    let mut step = "position".to_string();
    match compare_position(line, profile, &mut step, &mut report.steps) {
        Ok(()) => report,
        Err(difference) => report.of_mismatch(located(name, index, step, difference)),
    }
}

fn compare_position(line: &str, profile: Profile, step: &mut String, steps: &mut u64) -> Result<(), Difference> {
    let position = parse_line(line)?;
    *step = format!("position {}", position["id"].as_str().unwrap_or("without id"));
    let setup = setup_of(&position, profile)?;
    let game = Game::from_json(setup, &position["state"])
        .map_err(|error| Difference::new("the position", "a possible state", error))?;
    compare_state(&game, &position["state"])
        .map_err(|(expected, found)| Difference::new("reading and writing the state", expected, found))?;
    let mut list = MoveList::new();
    game.legal_moves(&mut list);
    compare_legal(&game, &position["legal"], &list)?;
    let after = position["after"].as_object();
    let after = after.ok_or_else(|| Difference::new("the position", "a state after each move", &position["after"]))?;
    for (text, expected) in after {
        let phase = game.phase();
        let text = normalised(setup, text);
        let mut next = game.clone();
        let played = game.parse_move(&text).and_then(|one| next.play(one));
        played.map_err(|error| Difference::new("the move played", &text, error))?;
        compare_state(&next, expected).map_err(|(expected, found)| {
            let rule = format!("the state after {text} in {} ({})", phase.name(), rules_of(phase));
            Difference::new(rule, expected, found)
        })?;
        *steps += 1;
    }
    Ok(())
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
