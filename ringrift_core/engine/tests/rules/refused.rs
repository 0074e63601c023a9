//! Bad input: each gives one error that says where and why.

use ringrift_engine::{Board, Game, Move, Profile, Setup};
use serde_json::{json, Value};

use crate::drawn::{play, square8};

const BOARD: &str = "12 . . . . . . .
     . a . . . . . .
     . . A . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . . . 1";

#[track_caller]
fn refused(change: impl FnOnce(&mut Value), expected: &str) {
    let mut state = square8("movement", BOARD).hand(&[5, 5]).start().to_json(true);
    change(&mut state);
    let setup = Setup::new(Board::Square8, 2, Profile::Canonical).unwrap();
    match Game::from_json(setup, &state) {
        Ok(_) => panic!("accepted, expected: {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

#[test]
fn impossible_boards() {
    refused(|s| s["stk"]["3,9"] = json!("1"), r#"state.stk["3,9"]: off the board square8 (0..7)"#);
    refused(
        |s| s["stk"]["nonsense"] = json!("1"),
        r#"state.stk["nonsense"]: "nonsense" is no cell: write x,y as two whole numbers"#,
    );
    refused(
        |s| s["stk"]["3,3"] = json!("13"),
        r#"state.stk["3,3"]: found "13": expected rings of players 1 to 2, bottom first"#,
    );
    refused(|s| s["stk"]["3,3"] = json!(""), r#"state.stk["3,3"]: found "": expected 1 to 36 rings, bottom first"#);
    refused(|s| s["mk"]["0,0"] = json!(1), r#"state.mk["0,0"]: a marker under a stack: a cell holds one of them"#);
    refused(|s| s["mk"]["4,4"] = json!(3), r#"state.mk["4,4"]: found 3: expected a player from 1 to 2"#);
    refused(|s| s["col"]["1,1"] = json!(1), r#"state.col["1,1"]: a collapsed cell holds neither stack nor marker"#);
}

#[test]
fn impossible_counts() {
    refused(
        |s| s["hand"] = json!([6, 5]),
        "state: rings are not conserved: 11 in hand + 3 on the board + 23 eliminated is not 36",
    );
    refused(|s| s["hand"] = json!([5]), "state.hand: 1 numbers: expected one for each of 2 players");
    refused(|s| s["hand"] = json!([-1, 5]), "state.hand[0]: found -1: expected a whole number from 0 to 18");
    refused(|s| s["terr"] = json!([0, 0]), "state.terr: player 1 owns 1 collapsed cells, not 0");
    refused(|s| s["hand"] = json!([17, 5]), "state.hand: player 1 has 19 rings in hand and on the board, of 18");
}

#[test]
fn fields_of_the_wrong_phase_or_kind() {
    refused(|s| s["p"] = json!(3), "state.p: found 3: expected a player from 1 to 2");
    refused(|s| s["ph"] = json!("thinking"), r#"state.ph: found "thinking": expected a phase"#);
    refused(|s| s["extra"] = json!(1), "state.extra: unknown field");
    refused(|s| drop(s.as_object_mut().unwrap().remove("mk")), r#"state: the field "mk" is missing"#);
    refused(
        |s| {
            s["ph"] = json!("line_processing");
            s["must"] = json!("7,7");
            s["turn"]["mustMove"] = json!("7,7");
        },
        "state.turn.mustMove: set in the phase line_processing",
    );
    refused(
        |s| {
            s["must"] = json!("0,0");
            s["turn"]["mustMove"] = json!("0,0");
        },
        "state.turn.mustMove: player 1 controls no stack on 0,0",
    );
    refused(|s| s["must"] = json!("7,7"), "state.must: differs from the field of the same meaning in state.turn");
    refused(|s| s["ph"] = json!("capture"), "state.turn.captureFrom: missing: the phase capture needs it");
    refused(
        |s| {
            s["pend"] = json!(1);
            s["turn"]["lineDebt"] = json!(true);
        },
        "state.turn.lineDebt: true in the phase movement",
    );
    refused(|s| s["turn"]["regionDebt"] = json!("cap"), "state.turn.regionDebt: set in the phase movement");
    refused(|s| s["turn"]["no"] = json!(0), "state.turn.no: found 0: expected a whole number from 1 to 1000000000");
    refused(|s| s["game"]["goneAt"] = json!([3, null]), "state.game.goneAt[0]: player 1 still has rings");
    refused(|s| s["game"]["recent"] = json!([1, 1]), "state.game.recent[1]: player 1 stands here twice");
    refused(
        |s| s["game"]["winner"] = json!(1),
        "state.game.winner: found 1: expected null until the phase is game_over",
    );
    refused(
        |s| s["game"]["marks"] = json!({"5": [true, true]}),
        r#"state.game.marks["5"]: the key is no player from 1 to 2"#,
    );
    refused(|s| s["game"]["oldestFirst"] = json!([]), "state.game.oldestFirst: a field of the profile deployed");
}

#[test]
fn a_turn_that_begins_has_done_nothing_yet() {
    for flag in ["recovered", "changed", "lineDone", "regionDone", "realTaken"] {
        let change = |s: &mut Value| {
            s["ph"] = json!("ring_placement");
            s["turn"][flag] = json!(true);
        };
        refused(change, &format!("state.turn.{flag}: true before the turn's first move"));
    }
}

#[test]
fn a_short_state_must_say_which_stack_captures() {
    let short = |s: &mut Value| {
        s["ph"] = json!("capture");
        s.as_object_mut().unwrap().remove("turn");
        s.as_object_mut().unwrap().remove("game");
    };
    refused(
        short,
        "state: the phase capture without \"must\" leaves open which stack captures: give the full state, with \
         \"turn\" and \"game\", as Game.state() does",
    );
}

#[test]
fn broken_json_and_setups() {
    let setup = Setup::new(Board::Square8, 2, Profile::Canonical).unwrap();
    let error = Game::from_json_text(setup, "{\"p\":").err().unwrap().to_string();
    assert!(error.starts_with("state: no JSON: EOF"), "{error}");
    let error = Game::from_json_text(setup, "[]").err().unwrap().to_string();
    assert_eq!(error, "state: found []: expected an object");
    let error = Setup::new(Board::Square8, 5, Profile::Canonical).err().unwrap().to_string();
    assert_eq!(error, "players: 5: a game has 2, 3 or 4 players");
}

#[test]
fn broken_notation() {
    let game = square8("movement", BOARD).hand(&[5, 5]).start();
    let cases = [
        ("teleport 1,1", r#"move "teleport 1,1": no such move type"#),
        ("move_stack 7,7", r#"move "move_stack 7,7": expected `move_stack FROM>TO`"#),
        ("move_stack 7,7>8,7", r#"move "move_stack 7,7>8,7": 8,7 is off the board square8 (0..7)"#),
        ("move_stack 7,7>+6,7", r#"move "move_stack 7,7>+6,7": "+6,7" is no cell: write x,y as two whole numbers"#),
        ("place_ring 1,0 n=4", r#"move "place_ring 1,0 n=4": "n=4": expected n=1, n=2 or n=3"#),
        ("skip_placement now", r#"move "skip_placement now": expected `skip_placement`"#),
        (
            "process_line [0,0;2,0;3,0;4,0]",
            r#"move "process_line [0,0;2,0;3,0;4,0]": the cells are not consecutive along a line axis"#,
        ),
        (
            "process_line [1,0;0,0]",
            r#"move "process_line [1,0;0,0]": cell 0,0: a cell list is sorted by (x, y), each cell once"#,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(game.parse_move(text).err().unwrap().to_string(), expected);
    }
}

#[test]
fn illegal_moves_change_nothing() {
    let mut game = square8("movement", BOARD).hand(&[5, 5]).start();
    let before = game.to_json(true);
    for text in ["place_ring 3,3 n=1", "move_stack 0,0>4,0", "skip_capture", "no_movement_action"] {
        let one = game.parse_move(text).unwrap();
        let error = game.play(one).err().unwrap().to_string();
        assert!(error.starts_with(&format!("move {text}: not legal for seat 1 in movement (")), "{error}");
    }
    for code in [0, u32::MAX, 511, 14 << 27 | 3 << 9 | 511, 19 << 27 | 511] {
        if let Some(one) = Move::from_code(code) {
            assert!(game.play(one).is_err());
        }
    }
    assert_eq!(game.to_json(true), before);
    play(&mut game, "move_stack 7,7>6,7");
}
