//! `bench [--seconds S] [--seed N] [CONFIGURATION...]`: speed of the rules as a table and one JSON line.

use std::process::ExitCode;

use ringrift_engine::bench::{bench_rules, configurations};
use serde_json::{json, Map};

fn main() -> ExitCode {
    let (mut seconds, mut seed, mut only) = (1.0, 1, Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            "--seconds" | "--seed" => words.next().unwrap_or_default(),
            _ => {
                only.push(word);
                continue;
            }
        };
        let known = match word.as_str() {
            "--seconds" => value.parse().map(|parsed| seconds = parsed).is_ok(),
            _ => value.parse().map(|parsed| seed = parsed).is_ok(),
        };
        if !known {
            eprintln!("{word} {value:?}: expected a number");
            return ExitCode::from(2);
        }
    }
    println!(
        "{:<14} {:>10} {:>12} {:>9} {:>8} {:>8} {:>7} {:>6}",
        "configuration", "moves/s", "decisions/s", "legal ns", "apply ns", "clone ns", "list", "bytes"
    );
    let mut moves_per_second = Map::new();
    for (board, players) in configurations() {
        let name = format!("{}-{players}p", board.name());
        if !only.is_empty() && !only.contains(&name) {
            continue;
        }
        match bench_rules(board, players, seconds, seed) {
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(2);
            }
            Ok(figures) => {
                println!(
                    "{:<14} {:>10.0} {:>12.0} {:>9.1} {:>8.1} {:>8.1} {:>7.1} {:>6}",
                    figures.configuration,
                    figures.moves_per_second,
                    figures.decisions_per_second,
                    figures.legal_moves_ns,
                    figures.apply_ns,
                    figures.clone_ns,
                    figures.legal_moves_mean,
                    figures.state_bytes
                );
                moves_per_second.insert(name, json!(figures.moves_per_second.round() as u64));
            }
        }
    }
    println!("{}", json!({ "moves_per_second": moves_per_second }));
    ExitCode::SUCCESS
}
