//! Section 9: victory, last player standing, stalemate, ranks; and how the deployed profile ends games.

use ringrift_engine::{Board, Game, Reason};
use serde_json::json;

use crate::drawn::{legal, play, play_all, position, square8};

const OPEN: &str = ". . . . . . . .
     . . . . . . . .
     . . 1 . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . 2 . .
     . . . . . . . .
     . . . . . . . .";

fn ending(game: &Game) -> Option<(usize, Reason)> {
    game.outcome().map(|outcome| (outcome.winner + 1, outcome.reason))
}

#[test]
fn elimination_is_tested_at_the_turn_end_only() {
    let position = square8("line_processing", OPEN).changed().hand(&[8, 6]).eliminated(&[18, 2]);
    let mut game = position.start();
    play(&mut game, "no_line_action");
    assert_eq!(ending(&game), None);
    play(&mut game, "no_territory_action");
    assert_eq!(ending(&game), Some((1, Reason::RingElimination)));
    assert!(legal(&game).is_empty());
    let mut below = square8("territory_processing", OPEN).changed().hand(&[8, 6]).eliminated(&[17, 3]).start();
    play(&mut below, "no_territory_action");
    assert_eq!(ending(&below), None);
}

#[test]
fn targets_depend_on_the_players() {
    let mut game = position(Board::Square8, 3, "territory_processing", OPEN)
        .changed()
        .hand(&[10, 8, 10])
        .eliminated(&[18, 2, 4])
        .start();
    play(&mut game, "no_territory_action");
    assert_eq!(ending(&game), None, "24 with three players");
}

#[test]
fn territory_needs_the_minimum_and_more_than_all_others() {
    let board = |own: usize, other: usize| {
        let mut tokens = vec!["."; 64];
        tokens[..own].fill("A");
        tokens[own..own + other].fill("B");
        tokens[63] = "1";
        tokens[62] = "2";
        tokens.join(" ")
    };
    let after = |own, other| {
        let mut game = square8("territory_processing", &board(own, other)).changed().hand(&[9, 9]).start();
        let last = legal(&game).pop().unwrap();
        play(&mut game, &last);
        ending(&game)
    };
    assert_eq!(after(33, 20), Some((1, Reason::TerritoryControl)));
    assert_eq!(after(32, 20), None);
    let mut tokens: Vec<&str> = vec!["."; 64];
    tokens[..22].fill("A");
    tokens[22..33].fill("B");
    tokens[33..44].fill("C");
    tokens[63] = "1";
    let mut game =
        position(Board::Square8, 3, "territory_processing", &tokens.join(" ")).changed().hand(&[9, 9, 9]).start();
    let last = legal(&game).pop().unwrap();
    play(&mut game, &last);
    assert_eq!(ending(&game), None, "22 is the minimum, but not more than 11 + 11");
}

#[test]
fn a_stalemate_counts_hands_territory_then_eliminations_then_markers_then_the_last_action() {
    let mut tokens = vec!["A"; 64];
    tokens[32..].fill("B");
    let board = tokens.join(" ");
    let end = |eliminated: [usize; 2], hand: [usize; 2], recent: [usize; 2]| {
        let mut game = square8("territory_processing", &board)
            .changed()
            .hand(&hand)
            .eliminated(&eliminated)
            .game("recent", json!(recent))
            .start();
        play(&mut game, "no_territory_action");
        (ending(&game), game)
    };
    let (result, game) = end([16, 15], [2, 3], [2, 1]);
    assert_eq!(result, Some((1, Reason::Stalemate)), "18 to 18 with hands: the last actor");
    assert_eq!((game.hand(1), game.eliminated(1)), (0, 18), "hands become eliminations");
    assert_eq!(end([16, 15], [2, 3], [1, 2]).0, Some((2, Reason::Stalemate)));
    assert_eq!(end([15, 16], [2, 3], [2, 1]).0, Some((2, Reason::Stalemate)), "17 to 19");
}

#[test]
fn markers_break_a_stalemate_before_the_last_action() {
    let mut tokens = vec!["A"; 64];
    tokens[31..].fill("B");
    tokens[62..].fill("b");
    let mut game = square8("territory_processing", &tokens.join(" "))
        .changed()
        .hand(&[2, 2])
        .eliminated(&[16, 16])
        .game("recent", json!([2, 1]))
        .start();
    assert_eq!((game.territory(0), game.territory(1)), (31, 31));
    play(&mut game, "no_territory_action");
    assert_eq!(ending(&game), Some((2, Reason::Stalemate)));
}

#[test]
fn ranks_share_ties_and_skip() {
    let drawing = ". . . . . . . .
         . . . . . . . .
         . . 1 . . . . .
         . . . . . 4 . .
         B C . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 2 3";
    let mut game = position(Board::Square8, 4, "territory_processing", drawing)
        .changed()
        .hand(&[0, 3, 3, 3])
        .eliminated(&[30, 9, 9, 11])
        .start();
    play(&mut game, "no_territory_action");
    assert_eq!(game.outcome().unwrap().ranks, [1, 2, 2, 4]);
}

#[test]
fn who_lost_the_last_ring_later_ranks_better() {
    let drawing = ". . . . . . . .
         . . . . . . . .
         . . 1 . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .";
    let mut game = position(Board::Square8, 4, "territory_processing", drawing)
        .changed()
        .hand(&[10, 0, 0, 0])
        .eliminated(&[31, 10, 10, 10])
        .game("goneAt", json!([null, 7, 9, 7]))
        .start();
    play(&mut game, "no_territory_action");
    assert_eq!(game.outcome().unwrap().ranks, [1, 3, 2, 3]);
}

#[test]
fn a_round_counts_for_the_only_seat_that_could_act_and_did() {
    let solo = |available: bool, taken: bool, other: [bool; 2]| {
        let mut game = square8("territory_processing", OPEN)
            .player(2)
            .hand(&[0, 5])
            .changed()
            .turn("realAvailable", json!(available))
            .turn("realTaken", json!(taken))
            .game("marks", json!({"1": other}))
            .solo(2, 1)
            .start();
        play(&mut game, "no_territory_action");
        game.to_json(false).get("lps").cloned()
    };
    assert_eq!(solo(true, true, [false, false]), Some(json!([2, 2])));
    assert_eq!(solo(true, false, [false, false]), None, "available but not taken");
    assert_eq!(solo(true, true, [true, true]), None, "two seats could act");
    assert_eq!(solo(true, true, [true, false]), None, "being able is enough to break it");
    assert_eq!(solo(false, false, [true, true]), Some(json!([1, 1])), "another seat starts again at 1");
}

#[test]
fn a_round_closes_at_the_leader_only() {
    let mut game = position(Board::Square8, 3, "territory_processing", &OPEN.replacen('.', "3", 1))
        .player(2)
        .changed()
        .turn("realTaken", json!(true))
        .game("marks", json!({"1": [false, false]}))
        .game("leader", json!(1))
        .solo(2, 2)
        .start();
    play(&mut game, "no_territory_action");
    assert_eq!((game.to_move(), ending(&game)), (2, None), "seat 3 has not had its turn");
    play_all(&mut game, &["no_placement_action"]);
    assert_eq!(game.to_json(true)["game"]["marks"], json!({"1": [false, false], "2": [true, true]}));
}

#[test]
fn a_leader_without_rings_passes_the_lead_and_voids_the_round() {
    // Seat 1 lost its last ring in its own turn; seat 2 leads from now on, and the solo seat 3 keeps its count.
    let drawing = ". . . . . . . .
         . . . . . . . .
         . . 2 . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . 3 . .
         . . . . . . . .
         . . . . . . . .";
    let mut game = position(Board::Square8, 3, "territory_processing", drawing).changed().solo(3, 2).start();
    play(&mut game, "no_territory_action");
    let state = game.to_json(true);
    assert_eq!(state["game"]["leader"], json!(2));
    assert_eq!(state["game"]["marks"], json!({}));
    assert_eq!(state["lps"], json!([3, 2]));
    assert_eq!(state["game"]["goneAt"], json!([21, null, null]));
}

#[test]
fn deployed_games_end_early_when_all_others_are_gone() {
    let drawing = ". . . . . . . .
         . . . . . . . .
         . . 1 . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .";
    let position = square8("territory_processing", drawing).changed().hand(&[9, 0]).eliminated(&[16, 10]);
    let mut canonical = position.clone().start();
    play(&mut canonical, "no_territory_action");
    assert_eq!(ending(&canonical), None, "the survivor needs three solo rounds (D15)");
    let mut deployed = position.deployed().start();
    play(&mut deployed, "no_territory_action");
    assert_eq!(ending(&deployed), Some((1, Reason::LastPlayerStandingEarly)));
}

#[test]
fn deployed_line_payments_and_idle_turns() {
    let line = "a a a a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 1
         . . . . . . . 2";
    let mut game = square8("line_processing", line).changed().deployed().start();
    play_all(&mut game, &["process_line [0,0;1,0;2,0;3,0]", "eliminate_rings_from_stack 6,6 ctx=line"]);
    assert_eq!(legal(&game), ["no_line_action"]);

    let idle = "11111112 . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 1";
    let mut game = square8("line_processing", idle).player(2).deployed().start();
    play(&mut game, "no_line_action");
    assert_eq!(legal(&game), ["forced_elimination 0,0"]);
}
