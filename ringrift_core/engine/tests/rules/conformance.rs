//! Recorded games and hand-made positions: every one must replay without a difference, and a difference must be seen.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufReader, Cursor, Read, Write};

use ringrift_engine::conform::{conform, conform_text};
use ringrift_engine::encoding::exact;
use ringrift_engine::encoding::frame::Frame;
use ringrift_engine::encoding::policy::{keys, Keys};
use ringrift_engine::{with_state, Board, Game, MoveList, Profile, Setup};

/// The texts of tests/conformance/traces.tar.xz, by name.
fn archive() -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance/traces.tar.xz");
    let mut packed = BufReader::new(std::fs::File::open(path).expect("the archive of traces"));
    let mut unpacked = Vec::new();
    lzma_rs::xz_decompress(&mut packed, &mut unpacked).expect("an xz archive");
    let mut tar = tar::Archive::new(Cursor::new(unpacked));
    let read = |entry: Result<tar::Entry<_>, std::io::Error>| {
        let mut entry = entry.expect("a tar entry");
        let name = entry.path().expect("a name").to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        (name, text)
    };
    tar.entries().expect("a tar archive").map(read).collect()
}

#[test]
fn all_recorded_games_and_positions_agree() {
    let (mut games, mut positions, mut steps) = (0, 0, 0);
    for (name, text) in archive() {
        if name.ends_with(".md") {
            continue;
        }
        let profile = if name.starts_with("deployed/") { Profile::Deployed } else { Profile::Canonical };
        let report = conform_text(&name, &text, profile);
        if let Some(first) = report.first {
            panic!("{first}");
        }
        games += report.games;
        positions += report.positions;
        steps += report.steps;
    }
    assert_eq!((games, positions), (594, 43));
    assert!(steps > 130_000);
}

/// The engine's encoding on the same games: other engines played them, so their positions are of another kind.
#[test]
fn keys_of_moves_are_distinct_and_states_come_back_from_their_bytes_in_recorded_games() {
    let mut positions = 0;
    for (name, text) in archive().into_iter().filter(|(name, _)| name.contains('/')) {
        let profile = if name.starts_with("deployed/") { Profile::Deployed } else { Profile::Canonical };
        let (mut game, mut list) = (None, MoveList::new());
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            if let Some(board) = line["board"].as_str() {
                let board = Board::from_name(board).expect("a board");
                let setup = Setup::new(board, line["players"].as_u64().expect("players") as usize, profile);
                let setup = setup.expect("2 to 4 players").with_swap(line["swap"] == 1);
                game = Some(Game::from_json(setup, &line["state"]).expect("a state"));
            }
            let (Some(game), Some(one)) = (&mut game, line["move"].as_str()) else { continue };
            game.legal_moves(&mut list);
            let frame = Frame::identity(game.setup().board());
            let named: HashSet<Keys> =
                with_state!(&*game, state => list.iter().map(|one| keys(state, *one, frame)).collect());
            assert_eq!(named.len(), list.len(), "{name}: {}", game.to_json(true));
            let bytes = with_state!(&*game, state => exact::to_bytes(state));
            let read = exact::from_bytes(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(read.identity_key(), game.identity_key());
            positions += 1;
            game.play(game.parse_move(one).expect("notation")).expect("a legal move");
        }
    }
    assert!(positions > 130_000, "{positions} positions");
}

/// A short trace to damage: the first steps of a recorded game would do as well.
fn trace() -> String {
    let header = r#"{"v":1,"engine":"test","board":"square8","players":2,"seed":1,"swap":0,"size":8,"rings":18,"#
        .to_string()
        + r#""state":{"p":1,"ph":"ring_placement","stk":{},"mk":{},"col":{},"hand":[18,18],"elim":[0,0],"terr":[0,0]}}"#;
    let mut legal: Vec<String> = (0..64)
        .flat_map(|cell| (1..=3).map(move |count| format!("\"place_ring {},{} n={count}\"", cell % 8, cell / 8)))
        .collect();
    legal.sort();
    let step = format!(
        r#"{{"i":0,"p":1,"ph":"ring_placement","legal":[{}],"move":"place_ring 0,0 n=1","after":{}}}"#,
        legal.join(","),
        r#"{"p":1,"ph":"movement","stk":{"0,0":"1"},"mk":{},"col":{},"hand":[17,18],"elim":[0,0],"terr":[0,0],"must":"0,0"}"#
    );
    [header, step, r#"{"end":1,"moves":1,"bookkeeping":0,"status":"active","winner":null,"reason":"max_moves"}"#.into()]
        .join("\n")
}

#[test]
fn a_game_cut_by_its_move_limit_agrees() {
    let report = conform_text("cut", &trace(), Profile::Canonical);
    assert_eq!(report.first, None);
    assert_eq!((report.games, report.steps, report.mismatches), (1, 1, 0));
}

#[test]
fn every_kind_of_difference_is_seen() {
    let changes = [
        (r#""players":2"#, r#""players":3"#, "state"),
        (r#""rings":18"#, r#""rings":17"#, "rings"),
        (r#""i":0,"p":1"#, r#""i":0,"p":2"#, "seat"),
        (r#""place_ring 0,0 n=1","place_ring 0,0 n=2""#, r#""place_ring 0,0 n=2""#, "legal moves"),
        (r#""place_ring 0,0 n=1","place_ring"#, r#""place_ring 0,0 n=1","place_ring 0,0 n=1","place_ring"#, "legal"),
        (r#""move":"place_ring 0,0 n=1""#, r#""move":"place_ring 0,0 n=4""#, "move"),
        (r#""hand":[17,18]"#, r#""hand":[18,18]"#, "hand"),
        (r#","must":"0,0""#, "", "must"),
        (r#","must":"0,0""#, "", "the state after place_ring 0,0 n=1 in ring_placement (rules 4.1"),
        (r#""status":"active""#, r#""status":"completed""#, "status"),
        (r#""moves":1"#, r#""moves":2"#, "moves"),
        (r#""moves":1,"#, "", "moves"),
        (r#""bookkeeping":0"#, r#""bookkeeping":1"#, "bookkeeping"),
        (r#""winner":null"#, r#""winner":1"#, "winner"),
        (r#""max_moves""#, r#""stalemate""#, "reason"),
        (r#""v":1"#, r#""v":2"#, "header field v"),
        (r#""swap":0"#, r#""swap":"no""#, "field swap"),
        (r#""players":2"#, r#""players":"two""#, r#"found:    "two""#),
        (r#""i":0"#, r#""i":1"#, "number of the step"),
        (r#""engine":"test","#, "", "header field engine"),
        (r#""move":"place_ring 0,0 n=1","#, "", "no field \"move\""),
        (r#""move":"place_ring 0,0 n=1""#, r#""move":"place_ring 0,0 n=4""#, "expected: a move of the legal list"),
        (r#"["place_ring 0,0 n=1""#, "[7", "legal[0] is no text: 7"),
        (r#"["place_ring"#, r#"["place_ring 0,0 n=1","place_ring"#, "listed twice: place_ring 0,0 n=1"),
        (r#","must":"0,0"}}"#, "", "line 2, step 0"),
    ];
    for (before, after, place) in changes {
        let report = conform_text("changed", &trace().replacen(before, after, 1), Profile::Canonical);
        assert_eq!(report.mismatches, 1, "{after}");
        let first = report.first.expect("a mismatch").to_string();
        assert!(first.contains(place), "{after}: {first}");
    }
    for broken in ["", "{", "[]", "{\"engine\":1}", "\u{0}"] {
        assert_eq!(conform_text("broken", broken, Profile::Canonical).mismatches, 1, "{broken:?}");
    }
}

/// The line and the text of the only mismatch.
#[track_caller]
fn mismatch_of(text: &str) -> (usize, String) {
    let report = conform_text("text", text, Profile::Canonical);
    assert_eq!(report.mismatches, 1);
    let first = report.first.expect("a mismatch");
    (first.line, first.to_string())
}

#[test]
fn every_game_of_a_file_is_replayed() {
    let three = [trace(), trace(), trace()].join("\n");
    let report = conform_text("three", &three, Profile::Canonical);
    assert_eq!((report.games, report.steps, report.mismatches), (3, 3, 0));
    let (line, shown) = mismatch_of(&[trace(), trace().replace("[17,18]", "[18,18]"), trace()].join("\n"));
    assert_eq!(line, 5);
    assert!(shown.contains("line 5, step 0") && shown.contains("hand"), "{shown}");
    let cut = trace().lines().take(2).collect::<Vec<_>>().join("\n");
    let (line, shown) = mismatch_of(&[cut, trace()].join("\n"));
    assert!(line == 2 && shown.contains("stops without"), "{shown}");
}

#[test]
fn nothing_but_another_game_follows_the_end() {
    let end = trace().lines().last().expect("an end").to_string();
    let step = trace().lines().nth(1).expect("a step").to_string();
    for garbage in ["garbage", "{}", "{\"p\":1", &end, &step] {
        let (line, shown) = mismatch_of(&format!("{}\n\n{garbage}\n{garbage}\n", trace()));
        assert!(line == 5 && shown.contains("after the end"), "{shown}");
    }
    let (line, shown) = mismatch_of(&trace()[..trace().len() - 200]);
    assert!(line == 2 && shown.contains("line 2, step 0") && shown.contains("a JSON object"), "{shown}");
    assert_eq!(conform_text("blank", &(trace() + "\n\n \n"), Profile::Canonical).mismatches, 0);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let report = conform_text("marked", &format!("\u{feff}{}\n", trace()), Profile::Canonical);
    assert_eq!((report.games, report.first), (1, None));
}

#[test]
fn a_finished_game_names_its_winner_and_in_profile_canonical_the_ranks() {
    let text = archive().into_iter().find(|(name, _)| name.starts_with("canonical/")).expect("a game").1;
    let (steps, end) = text.trim_end().rsplit_once('\n').expect("lines");
    let end: serde_json::Value = serde_json::from_str(end).expect("an end line");
    for (field, wrong) in [("winner", serde_json::Value::Null), ("reason", serde_json::json!("max_moves"))] {
        let mut changed = end.clone();
        changed[field] = wrong;
        let shown = mismatch_of(&format!("{steps}\n{changed}")).1;
        assert!(shown.contains(field) && shown.contains(", end\n"), "{shown}");
    }
    let mut unranked = end.clone();
    unranked.as_object_mut().expect("an object").remove("ranks");
    let shown = mismatch_of(&format!("{steps}\n{unranked}")).1;
    assert!(shown.contains("ranks"), "{shown}");
}

/// The first hand-made position, and the line before it that describes the file.
fn position() -> (String, serde_json::Value) {
    let text = archive().remove("positions.jsonl").expect("the positions");
    let mut lines = text.lines();
    let about = lines.next().expect("a description").to_string();
    (about, serde_json::from_str(lines.next().expect("a position")).expect("JSON"))
}

#[test]
fn a_position_has_a_state_after_every_legal_move() {
    let (about, mut position) = position();
    let both = |position: &serde_json::Value| format!("{about}\n{position}\n");
    assert_eq!(conform_text("whole", &both(&position), Profile::Canonical).mismatches, 0);
    let after = position["after"].as_object_mut().expect("states");
    let one = after.keys().next_back().expect("a move").clone();
    after.remove(&one);
    let (line, shown) = mismatch_of(&both(&position));
    assert!(line == 2 && shown.contains(&one), "{shown}");
    position["after"] = serde_json::json!({});
    assert_eq!(conform_text("empty", &both(&position), Profile::Canonical).mismatches, 1);
}

#[test]
fn positions_of_another_profile_are_named_so_once() {
    let (about, position) = position();
    let report = conform_text("positions", &format!("{about}\n{position}\n{position}"), Profile::Deployed);
    assert_eq!((report.positions, report.mismatches), (0, 1));
    let shown = report.first.expect("a mismatch").to_string();
    assert!(shown.contains("profile canonical") && shown.contains("profile deployed"), "{shown}");
}

#[test]
fn folders_and_gzip_files_are_read() {
    let folder = std::env::temp_dir().join(format!("ringrift-conform-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(trace().as_bytes()).unwrap();
    std::fs::write(folder.join("inner/a.jsonl.gz"), packed.finish().unwrap()).unwrap();
    let twice = [trace(), trace()].map(|text| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all((text + "\n").as_bytes()).unwrap();
        packed.finish().unwrap()
    });
    std::fs::write(folder.join("twice.jsonl.gz"), twice.concat()).unwrap();
    std::fs::write(folder.join("b.jsonl"), trace()).unwrap();
    std::fs::write(folder.join("notes.txt"), "not a trace").unwrap();
    let report = conform(&[folder.join("missing"), folder.clone()], Profile::Canonical);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((report.games, report.mismatches), (4, 0), "what can be read is replayed");
    assert_eq!(report.unreadable.len(), 1);
    assert!(report.unreadable[0].place().ends_with("missing"));
}
