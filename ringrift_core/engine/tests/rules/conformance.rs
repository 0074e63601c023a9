//! Recorded games and hand-made positions: every one must replay without a difference, and a difference must be seen.

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read, Write};

use ringrift_engine::conform::{conform, conform_text};
use ringrift_engine::Profile;

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
    [header, step, r#"{"end":1,"moves":1,"status":"active","winner":null,"reason":"max_moves"}"#.into()].join("\n")
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
        (r#""status":"active""#, r#""status":"completed""#, "status"),
        (r#""moves":1"#, r#""moves":2"#, "moves"),
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

#[test]
fn folders_and_gzip_files_are_read() {
    let folder = std::env::temp_dir().join(format!("ringrift-conform-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("inner")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(trace().as_bytes()).unwrap();
    std::fs::write(folder.join("inner/a.jsonl.gz"), packed.finish().unwrap()).unwrap();
    std::fs::write(folder.join("b.jsonl"), trace()).unwrap();
    std::fs::write(folder.join("notes.txt"), "not a trace").unwrap();
    let report = conform(std::slice::from_ref(&folder), Profile::Canonical).unwrap();
    let missing = conform(&[folder.join("missing")], Profile::Canonical);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((report.games, report.mismatches), (2, 0));
    assert!(missing.is_err());
}
