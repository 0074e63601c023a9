//! The sixteen worked examples of rules.md section 12.

use ringrift_engine::{Board, Reason};
use serde_json::json;

use crate::drawn::{assert_board, is_legal, legal, legal_of, play, play_all, position, square8};

#[test]
fn example_1_opening() {
    let game = square8(
        "movement",
        ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . 11 . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    )
    .hand(&[16, 18])
    .eliminated(&[0, 0])
    .turn("mustMove", json!("3,3"))
    .start();
    assert!(!is_legal(&game, "move_stack 3,3>4,3"));
    assert!(is_legal(&game, "move_stack 3,3>5,3"));
    assert_eq!(legal(&game).len(), 19);
}

#[test]
fn example_2_crossing() {
    let mut game = square8(
        "movement",
        "11 b a b . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2",
    )
    .eliminated(&[0, 33])
    .start();
    play(&mut game, "move_stack 0,0>3,0");
    assert_board(
        &game,
        "a a A 1 . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2",
    );
    assert_eq!((game.eliminated(0), game.territory(0)), (1, 1));
}

#[test]
fn example_3_vanishing_mover_and_waived_debt() {
    let mut game = square8(
        "movement",
        "1 a a a . . . .
         b . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2",
    )
    .start();
    play_all(&mut game, &["move_stack 0,0>0,1", "process_line [0,0;1,0;2,0;3,0]"]);
    assert_eq!(legal(&game), ["no_territory_action"]);
    assert_board(
        &game,
        "A A A A . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2",
    );
}

#[test]
fn example_4_capture_that_changes_hands() {
    let mut game = square8(
        "movement",
        "1 2 a . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    )
    .eliminated(&[4, 30])
    .start();
    play(&mut game, "overtaking_capture 0,0x1,0>2,0");
    assert_board(
        &game,
        "a . 2 . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    );
    assert_eq!(game.eliminated(0), 5);
    assert_eq!(legal(&game), ["no_line_action"]);
}

#[test]
fn example_5_reversal() {
    let mut game = square8(
        "movement",
        ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . 11 . 212 . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    )
    .start();
    let landings = ["5,3", "6,3", "7,3"].map(|to| format!("overtaking_capture 2,3x4,3>{to}"));
    assert_eq!(legal_of(&game, "overtaking_capture"), landings);
    play(&mut game, "overtaking_capture 2,3x4,3>5,3");
    let chain = ["0,3", "1,3", "2,3"].map(|to| format!("continue_capture_segment 5,3x4,3>{to}"));
    assert_eq!(legal(&game), chain);
    let mut other = game.clone();
    play(&mut game, "continue_capture_segment 5,3x4,3>2,3");
    assert_board(
        &game,
        ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . 121 . 2 a . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    );
    assert_eq!(game.phase().name(), "chain_capture");
    play(&mut other, "continue_capture_segment 5,3x4,3>1,3");
    assert_board(
        &other,
        ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . 1211 A . 2 a . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    );
    assert_eq!(other.phase().name(), "line_processing");
}

#[test]
fn example_6_count_dependent_placement() {
    let game = square8(
        "ring_placement",
        ". 22 . . . . . .
         A B . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    )
    .hand(&[5, 5])
    .start();
    assert_eq!(legal_of(&game, "place_ring 0,0 "), ["place_ring 0,0 n=2", "place_ring 0,0 n=3"]);
}

#[test]
fn example_7_capture_only_with_the_moved_stack() {
    let mut game = square8(
        "movement",
        "1 . . 2 . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2
         . . . . . . . 1",
    )
    .start();
    play(&mut game, "move_stack 0,0>2,0");
    let mut expected: Vec<String> =
        ["4,0", "5,0", "6,0", "7,0"].iter().map(|to| format!("overtaking_capture 2,0x3,0>{to}")).collect();
    expected.push("skip_capture".into());
    assert_eq!(legal(&game), expected);
}

#[test]
fn example_8_lines() {
    let mut game = square8(
        "line_processing",
        "a a a a a . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 1
         . . . . . . . 2",
    )
    .changed()
    .start();
    let line = "[0,0;1,0;2,0;3,0;4,0]";
    let segments = [line, "[0,0;1,0;2,0;3,0]", "[1,0;2,0;3,0;4,0]"];
    assert_eq!(legal(&game), segments.map(|cells| format!("choose_line_option {line} collapse={cells}")));
    let mut whole = game.clone();
    play(&mut game, &format!("choose_line_option {line} collapse=[0,0;1,0;2,0;3,0]"));
    assert_board(
        &game,
        "A A A A a . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 1
         . . . . . . . 2",
    );
    assert_eq!(legal(&game), ["no_territory_action"]);
    play(&mut whole, &format!("choose_line_option {line} collapse={line}"));
    assert_eq!(legal(&whole), ["eliminate_rings_from_stack 7,6 ctx=line"]);

    let mut crossing = square8(
        "line_processing",
        ". . . a . . . .
         . . . a . . . .
         . . . a . . . .
         a a a a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 1
         . . . . . . . 2",
    )
    .changed()
    .start();
    assert_eq!(legal_of(&crossing, "process_line").len(), 2);
    play_all(&mut crossing, &["process_line [0,3;1,3;2,3;3,3]", "eliminate_rings_from_stack 7,6 ctx=line"]);
    assert_eq!(crossing.phase().name(), "territory_processing");
    assert_board(
        &crossing,
        ". . . a . . . .
         . . . a . . . .
         . . . a . . . .
         A A A A . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2",
    );
}

#[test]
fn example_9_border_colour() {
    let two_colours = ". a . . . . . .
         b . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 .
         . . . . . . . 2";
    let game = square8("territory_processing", two_colours).changed().start();
    assert_eq!(legal(&game), ["no_territory_action"]);
    let collapsed = two_colours.replacen('b', "B", 1);
    for player in 1..=2 {
        let mut game = square8("territory_processing", &collapsed).changed().player(player).start();
        assert_eq!(legal(&game), ["choose_territory_option [0,0]", "skip_territory_processing"]);
        let before = game.territory(player - 1);
        play(&mut game, "choose_territory_option [0,0]");
        assert_eq!(game.territory(player - 1), before + 2);
    }
}

const EXAMPLE_10: &str = ". . . . . . . .
     . a a a a . . .
     . a 2 2 a . . .
     . a 2 2 a . . .
     . a a a a . . .
     . . . . . b . .
     . . . . . . 11 .
     21 . . . . . . .";

#[test]
fn example_10_region() {
    let drawing =
        EXAMPLE_10.replace("21 . . . . . . .", ". . . . . . . .").replacen(". . . . . . . .", ". . . . . . . 21", 1);
    let mut game = square8("territory_processing", &drawing).changed().eliminated(&[0, 28]).start();
    play(&mut game, "choose_territory_option [2,2;2,3;3,2;3,3]");
    assert_eq!(game.eliminated(0), 4);
    assert_board(
        &game,
        ". . . . . . . 21
         . a A A a . . .
         . A A A A . . .
         . A A A A . . .
         . a A A a . . .
         . . . . . b . .
         . . . . . . 11 .
         . . . . . . . .",
    );
    play(&mut game, "eliminate_rings_from_stack 7,0 ctx=territory");
    assert_eq!(game.rings(7), [1]);
    assert_eq!(game.eliminated(0), 5);
}

#[test]
fn example_11_the_outside_counts_too() {
    let drawing = ". . . . . . . .
         . a a a a . . .
         . a 2 2 a . . .
         . a 2 2 a . . .
         . a a a a . . .
         . . . . . . . .
         . . . . . . 11 .
         . . . . . . . .";
    let position = square8("territory_processing", drawing).changed().hand(&[10, 5]);
    let outside = legal_of(&position.clone().player(2).start(), "choose_territory_option");
    assert_eq!(outside.len(), 1);
    let mut game = position.clone().player(2).start();
    play_all(&mut game, &[&outside[0], "eliminate_rings_from_stack 2,2 ctx=territory"]);
    assert_eq!(game.territory(1), 60);
    let outcome = game.outcome().expect("the game is over");
    assert_eq!((outcome.winner, outcome.reason), (1, Reason::TerritoryControl));
    let inside = legal_of(&position.start(), "choose_territory_option");
    assert_eq!(inside, ["choose_territory_option [2,2;2,3;3,2;3,3]"]);
}

#[test]
fn example_12_forced_elimination() {
    let mut game = square8(
        "ring_placement",
        "11111112 . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 1",
    )
    .player(2)
    .start();
    let before = game.eliminated(1);
    let idle = ["no_placement_action", "no_movement_action", "no_line_action", "no_territory_action"];
    for one in idle {
        assert_eq!(legal(&game), [one]);
        play(&mut game, one);
    }
    assert_eq!(legal(&game), ["forced_elimination 0,0"]);
    play(&mut game, "forced_elimination 0,0");
    assert_eq!(game.eliminated(1), before + 1);
    assert_eq!(game.rings(0), [0; 7]);
    assert_eq!((game.to_move(), game.phase().name()), (0, "ring_placement"));
}

#[test]
fn example_13_recovery_by_line() {
    let mut game = square8(
        "movement",
        "a a a . . . . 11212
         . . . a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . .",
    )
    .start();
    assert_eq!(
        legal(&game),
        [
            "recovery_slide 3,1>3,0 mode=line opt=1 extract=6,6",
            "recovery_slide 3,1>3,0 mode=line opt=1 extract=7,0",
            "skip_recovery"
        ]
    );
    let mut other = game.clone();
    play(&mut game, "recovery_slide 3,1>3,0 mode=line opt=1 extract=6,6");
    assert_board(
        &game,
        "A A A A . . . 11212
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 2 .
         . . . . . . . .",
    );
    play(&mut other, "recovery_slide 3,1>3,0 mode=line opt=1 extract=7,0");
    assert_eq!(other.rings(7), [0, 1, 0, 1]);
}

#[test]
fn example_14_strike_that_revives() {
    let mut game = square8(
        "movement",
        ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . a . .
         . . . . . . 12 .
         12 . . . . . . .",
    )
    .start();
    let before = game.eliminated(0);
    play(&mut game, "recovery_slide 5,5>6,6 mode=stack_strike extract=0,7");
    assert_board(
        &game,
        ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 .
         2 . . . . . . .",
    );
    assert_eq!(game.eliminated(0), before + 2);
}

#[test]
fn example_15_solo_rounds() {
    // Seat 1 controls nothing and owns no marker; seat 2 places each turn. Seat 1 leads: a round closes after seat 2.
    let drawing = ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . 12 . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .";
    for (rounds, over) in [(1, false), (2, true)] {
        let mut game = square8("territory_processing", drawing)
            .player(2)
            .hand(&[0, 5])
            .changed()
            .turn("realTaken", json!(true))
            .game("marks", json!({"1": [false, false]}))
            .solo(2, rounds)
            .start();
        play(&mut game, "no_territory_action");
        assert_eq!(
            game.outcome().map(|outcome| (outcome.winner, outcome.reason)),
            over.then_some((1, Reason::LastPlayerStanding))
        );
    }
}

#[test]
fn example_16_hex8() {
    let drawing = ". . . . 1
         . . . . . .
         . . . . . . .
         . . . . . . . .
         . . . . . . . . .
         . . . . . . . .
         . . . . . . .
         . . . . . .
         . . . . 2";
    let board = Board::Hex8;
    let corner = board.cell_at(4, -4).unwrap();
    let mut tokens: Vec<String> = drawing.split_whitespace().map(str::to_string).collect();
    tokens.swap(corner, 30);
    for (x, y) in [(3, -4), (4, -3), (3, -3), (2, -2)] {
        tokens[board.cell_at(x, y).unwrap()] = "a".into();
    }
    let mut game = position(board, 2, "territory_processing", &tokens.join(" ")).changed().start();
    assert_eq!(legal_of(&game, "choose_territory_option"), ["choose_territory_option [4,-4]"]);
    play(&mut game, "choose_territory_option [4,-4]");
    assert_eq!(game.territory(0), 4);
    let isolated = board.cell_at(2, -2).unwrap();
    assert_eq!(game.content(isolated), ringrift_engine::Content::Marker { owner: 0 });
}
