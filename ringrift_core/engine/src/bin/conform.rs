//! `conform [--profile canonical|deployed] PATH...`: replays traces; one JSON line, exit 1 on a mismatch, 2 on bad
//! usage or a path that cannot be read.

use std::path::PathBuf;
use std::process::ExitCode;

use ringrift_engine::conform::conform;
use ringrift_engine::Profile;

fn main() -> ExitCode {
    let mut profile = Profile::Canonical;
    let mut paths = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word != "--profile" {
            paths.push(PathBuf::from(word));
            continue;
        }
        let name = words.next().unwrap_or_default();
        match Profile::from_name(&name) {
            Some(known) => profile = known,
            None => return refuse(&format!("--profile {name:?}: expected canonical or deployed")),
        }
    }
    if paths.is_empty() {
        return refuse("usage: conform [--profile canonical|deployed] PATH...");
    }
    let report = conform(&paths, profile);
    for error in &report.unreadable {
        eprintln!("{error}");
    }
    if let Some(first) = &report.first {
        eprintln!("first mismatch: {first}");
    }
    println!("{}", report.to_json());
    match report.unreadable.is_empty() {
        true => ExitCode::from((report.mismatches > 0) as u8),
        false => ExitCode::from(2),
    }
}

fn refuse(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::from(2)
}
