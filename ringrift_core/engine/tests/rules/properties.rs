//! Properties over seeded random games of every board, player count and profile: the invariants of section 11,
//! round-trips, keys, symmetries.

use ringrift_engine::invariants::{check_state, check_step};
use ringrift_engine::playout::Random;
use ringrift_engine::{Board, Game, Move, MoveList, Phase, Profile, Setup, Symmetry};
use serde_json::json;

use crate::drawn::{legal, random_game};

fn setups() -> Vec<Setup> {
    let mut setups = Vec::new();
    for board in Board::ALL {
        for players in 2..=4 {
            for profile in [Profile::Canonical, Profile::Deployed] {
                setups.push(Setup::new(board, players, profile).unwrap().with_swap(players == 2));
            }
        }
    }
    setups
}

/// Random games per setup: more on the small boards.
fn games(setup: Setup) -> u64 {
    if setup.board().cells() < 100 {
        30
    } else {
        2
    }
}

fn check(before: &Game, one: Move, after: &Game) -> Result<(), String> {
    match (before, after) {
        (Game::Square8(before), Game::Square8(after)) => check_step(before, one, after).and(check_state(after)),
        (Game::Hex8(before), Game::Hex8(after)) => check_step(before, one, after).and(check_state(after)),
        (Game::Square19(before), Game::Square19(after)) => check_step(before, one, after).and(check_state(after)),
        (Game::Hexagonal(before), Game::Hexagonal(after)) => check_step(before, one, after).and(check_state(after)),
        _ => unreachable!("one board per game"),
    }
}

#[test]
fn invariants_hold_in_every_game() {
    for setup in setups() {
        for seed in 0..games(setup) {
            let (mut actions, mut last_turn) = (0, (0, 0));
            random_game(Game::new(setup), seed, |before, one, after| {
                if let Err(reason) = check(before, one, after) {
                    panic!("{setup:?} seed {seed}: {} breaks {reason}\n{}", before.describe(one), before.to_json(true));
                }
                let name = one.kind().name();
                actions += ["move_stack", "overtaking_capture", "continue_capture_segment"].contains(&name) as usize;
                if after.phase() == Phase::RingPlacement && after.turn_number() > last_turn.0 {
                    last_turn = (after.turn_number(), after.to_move());
                }
            });
            let rings = setup.board().rings_per_player() as usize * setup.players();
            assert!(actions <= setup.board().cells() + rings, "item 6: {actions} moves and captures");
        }
    }
}

#[test]
fn states_and_moves_round_trip() {
    for setup in setups() {
        for seed in 0..games(setup).min(4) {
            random_game(Game::new(setup), 1000 + seed, |before, one, after| {
                assert_eq!(before.parse_move(&before.describe(one)), Ok(one), "{}", before.describe(one));
                assert_eq!(Move::from_code(one.code()), Some(one));
                let written = after.to_json(true);
                let read = Game::from_json_text(setup.with_swap(false), &written.to_string());
                let read = read.unwrap_or_else(|error| panic!("{error}\n{written}"));
                assert_eq!(read.to_json(true), written);
                assert_eq!(read.identity_key(), after.identity_key());
                assert_eq!(read.search_key(), after.search_key());
                assert_eq!(legal(&read), legal(after));
            });
        }
    }
}

/// A copy of the game `turns` turns later, by its clock alone.
fn later(game: &Game, turns: u64) -> Game {
    let mut state = game.to_json(true);
    let shifted = |value: &serde_json::Value| value.as_u64().map(|turn| turn + turns);
    state["turn"]["no"] = json!(shifted(&state["turn"]["no"]));
    let gone: Vec<_> = state["game"]["goneAt"].as_array().unwrap().iter().map(shifted).collect();
    state["game"]["goneAt"] = json!(gone);
    Game::from_json(game.setup(), &state).unwrap()
}

#[test]
fn search_equal_states_have_equal_subtrees() {
    for setup in setups() {
        for seed in 0..games(setup).min(6) {
            let mut game = Game::new(setup);
            let mut random = Random::new(seed);
            game.play_randomly(&mut random, 20 + 30 * seed, &mut MoveList::new());
            let mut other = later(&game, 5);
            // Walk one random line of both trees to the end: lists, keys and outcomes stay equal.
            let (mut list, mut list_later) = (MoveList::new(), MoveList::new());
            loop {
                assert_eq!(game.search_key(), other.search_key());
                assert_ne!(game.identity_key(), other.identity_key());
                game.legal_moves(&mut list);
                other.legal_moves(&mut list_later);
                assert_eq!(list[..], list_later[..]);
                if list.is_empty() {
                    break;
                }
                let one = list[random.below(list.len())];
                game.apply(one);
                other.apply(one);
            }
            assert_eq!(game.outcome(), other.outcome());
        }
    }
}

#[test]
fn search_keys_meet_in_transpositions_and_differ_elsewhere() {
    // All states of many small-board games: equal search keys must mean equal legal lists and equal boards.
    let mut seen = std::collections::HashMap::new();
    let mut met = 0;
    for seed in 0..60 {
        let setup = Setup::new(Board::Hex8, 2, Profile::Canonical).unwrap();
        random_game(Game::new(setup), seed, |_, _, after| {
            let short = (after.to_json(false), legal(after));
            match seen.get(&after.search_key()) {
                Some(known) => {
                    assert_eq!(known, &short);
                    met += 1;
                }
                None => drop(seen.insert(after.search_key(), short)),
            }
        });
    }
    assert!(seen.len() > 5_000, "{} states", seen.len());
    assert!(met > 0, "no transposition met");
}

/// Every field of the full state but the clock changes both keys.
#[test]
fn keys_see_every_field() {
    let setup = Setup::new(Board::Square8, 3, Profile::Canonical).unwrap();
    let mut game = Game::new(setup);
    game.play_randomly(&mut Random::new(3), 25, &mut MoveList::new());
    while game.phase() != Phase::RingPlacement {
        game.play_randomly(&mut Random::new(3), 1, &mut MoveList::new());
    }
    game.play(game.parse_move("skip_placement").unwrap()).expect("a movement without a ring placed before it");
    let state = game.to_json(true);
    let changes = [
        ("turn", "realAvailable", json!(!state["turn"]["realAvailable"].as_bool().unwrap())),
        ("turn", "realTaken", json!(!state["turn"]["realTaken"].as_bool().unwrap())),
        ("turn", "lineDone", json!(true)),
        ("turn", "regionDone", json!(true)),
        ("turn", "changed", json!(true)),
        ("turn", "recovered", json!(true)),
        ("game", "leader", json!(2)),
        ("game", "marks", json!({"3": [true, true]})),
        ("game", "recent", json!([3, 2, 1])),
        ("game", "soloSeat", json!(3)),
    ];
    for (part, field, value) in changes {
        let mut changed = state.clone();
        if changed[part][field] == value {
            continue;
        }
        changed[part][field] = value;
        let other = Game::from_json(setup, &changed).unwrap_or_else(|error| panic!("{field}: {error}"));
        assert_ne!(other.identity_key(), game.identity_key(), "{field}");
        assert_ne!(other.search_key(), game.search_key(), "{field}");
    }
}

fn has_axis_tie(game: &Game) -> bool {
    let mut list = MoveList::new();
    game.legal_moves(&mut list);
    let slides = list.iter().any(|one| one.kind().name() == "recovery_slide");
    slides && ringrift_engine::with_state!(game, state => state.has_axis_tie())
}

#[test]
fn symmetries_map_legal_moves_to_legal_moves() {
    let mut ties = 0;
    for setup in setups().into_iter().filter(|setup| setup.profile() == Profile::Canonical) {
        let symmetries = Symmetry::all(setup.board());
        for seed in 0..games(setup).min(12) {
            random_game(Game::new(setup), 500 + seed, |before, one, after| {
                if has_axis_tie(before) {
                    ties += 1; // Note D12: which run counts depends on the axis order.
                    return;
                }
                let symmetry = symmetries[random_index(before, symmetries.len())];
                let mapped = before.mapped(symmetry);
                let (mut list, mut mapped_list) = (MoveList::new(), MoveList::new());
                before.legal_moves(&mut list);
                mapped.legal_moves(&mut mapped_list);
                let mut images: Vec<Move> = list.iter().map(|one| before.map_move(symmetry, *one)).collect();
                let mut expected = mapped_list.to_vec();
                images.sort_unstable();
                expected.sort_unstable();
                assert_eq!(images, expected, "{symmetry:?} {}", before.to_json(true));
                let mut played = mapped;
                played.apply(before.map_move(symmetry, one));
                assert_eq!(played.to_json(true), after.mapped(symmetry).to_json(true));
            });
        }
    }
    println!("{ties} positions with an axis tie");
}

fn random_index(game: &Game, bound: usize) -> usize {
    (game.identity_key() % bound as u64) as usize
}

#[test]
fn symmetries_are_the_groups_of_the_square_and_the_hexagon() {
    for board in Board::ALL {
        let all: Vec<Vec<usize>> = Symmetry::all(board).iter().map(Symmetry::permutation).collect();
        assert_eq!(all.len(), if board.is_hex() { 12 } else { 8 });
        assert!(all[0].iter().enumerate().all(|(cell, image)| cell == *image), "identity first");
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other != one), "all different");
            for other in &all {
                let product: Vec<usize> = one.iter().map(|cell| other[*cell]).collect();
                assert!(all.contains(&product), "closed");
            }
        }
    }
}

#[test]
fn a_seed_gives_the_same_game() {
    for setup in setups() {
        let play = || {
            let mut game = Game::new(setup);
            let playout = game.play_randomly(&mut Random::new(7), 60, &mut MoveList::new());
            (game.identity_key(), playout)
        };
        assert_eq!(play(), play());
    }
}

#[test]
fn renaming_seats_keeps_the_rules() {
    // Two players, colours exchanged everywhere: the other seat has the same choices.
    let setup = Setup::new(Board::Square8, 2, Profile::Canonical).unwrap();
    let swap_seat = |value: &serde_json::Value| json!(value.as_u64().map(|seat| 3 - seat));
    for seed in 0..10 {
        random_game(Game::new(setup), seed, |before, _, _| {
            let mut state = before.to_json(true);
            for field in ["hand", "elim", "terr"] {
                state[field].as_array_mut().unwrap().reverse();
            }
            state["p"] = swap_seat(&state["p"]);
            for field in ["mk", "col"] {
                state[field].as_object_mut().unwrap().values_mut().for_each(|owner| *owner = swap_seat(owner));
            }
            for rings in state["stk"].as_object_mut().unwrap().values_mut() {
                let text: String = rings.as_str().unwrap().chars().map(|c| if c == '1' { '2' } else { '1' }).collect();
                *rings = json!(text);
            }
            state["game"]["goneAt"].as_array_mut().unwrap().reverse();
            let renamed = Game::from_json(setup, &state).unwrap();
            assert_eq!(legal(&renamed), legal(before));
        });
    }
}
