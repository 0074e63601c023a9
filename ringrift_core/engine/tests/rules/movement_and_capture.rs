//! Sections 4.2 and 4.3: plain moves, capture segments, chains.

use ringrift_engine::Board;

use crate::drawn::{assert_board, is_legal, legal, legal_of, play, position, square8};

#[test]
fn a_move_goes_at_least_its_height_and_stops_before_obstacles() {
    let game = square8(
        "movement",
        "11 . . . A . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         2 . . . . . . .
         . . . . . . . .
         . . . . . . . .",
    )
    .start();
    let moves = legal_of(&game, "move_stack");
    let to = |cells: &[&str]| cells.iter().map(|cell| format!("move_stack 0,0>{cell}")).collect::<Vec<_>>();
    let mut expected = to(&["2,0", "3,0", "0,2", "0,3", "0,4"]);
    expected.extend(to(&["2,2", "3,3", "4,4", "5,5", "6,6", "7,7"]));
    expected.sort();
    assert_eq!(moves, expected);
}

#[test]
fn opponents_markers_flip_own_ones_collapse() {
    let mut game = position(
        Board::Square8,
        3,
        "movement",
        "1 c a b . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2
         . . . . . . . 3",
    )
    .start();
    play(&mut game, "move_stack 0,0>5,0");
    assert_eq!(game.territory(0), 1);
    assert_board(
        &game,
        "a a A a . 1 . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2
         . . . . . . . 3",
    );
}

#[test]
fn landing_on_any_marker_costs_the_top_ring_and_may_cost_control() {
    for marker in ["a", "b"] {
        let drawing = "21 . M . . . . .
             . . . . . . . .
             . . . . . . . .
             . . . . . . . .
             . . . . . . . .
             . . . . . . . .
             . . . . . . . .
             . . . . . . . 2";
        let mut game = square8("movement", &drawing.replace('M', marker)).start();
        let before = game.eliminated(0);
        play(&mut game, "move_stack 0,0>2,0");
        assert_eq!(game.rings(2), [1]);
        assert_eq!(game.eliminated(0), before + 1);
        assert_eq!(game.phase().name(), "line_processing", "the stack is no longer the mover's");
    }
}

#[test]
fn a_capture_needs_cap_distance_and_a_clear_ray() {
    let drawing = "11 . 22 . . 2 . .
         . . . . . . . .
         . . 222 . . . . .
         . . . . . . . .
         . . . . . . . .
         A . . . . . . .
         2 . . . . . . .
         . . . . . . . .";
    let game = square8("movement", drawing).start();
    assert_eq!(
        legal_of(&game, "overtaking_capture"),
        ["overtaking_capture 0,0x2,0>3,0", "overtaking_capture 0,0x2,0>4,0"],
        "cap 3 is too large, a collapsed cell hides the third, the next stack ends the ray"
    );
}

#[test]
fn the_landing_is_at_least_the_height_away() {
    let drawing = "1111 2 . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .";
    let game = square8("movement", drawing).start();
    let landings = ["4,0", "5,0", "6,0", "7,0"].map(|to| format!("overtaking_capture 0,0x1,0>{to}"));
    assert_eq!(legal_of(&game, "overtaking_capture"), landings);
}

#[test]
fn one_may_capture_oneself_and_the_ring_goes_to_the_bottom() {
    let mut game = square8(
        "movement",
        "12 . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         21 . . 21 . . . .",
    )
    .start();
    play(&mut game, "overtaking_capture 0,7x3,7>5,7");
    assert_eq!(game.rings(7 * 8 + 5), [0, 1, 0]);
    assert_eq!(game.rings(7 * 8 + 3), [1]);
    assert!(legal(&game).contains(&"continue_capture_segment 5,7x3,7>2,7".to_string()));
}

#[test]
fn capturing_is_optional_after_a_plain_move_only() {
    let drawing = "1 . . 2 . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .";
    let mut game = square8("movement", drawing).start();
    let mut direct = game.clone();
    play(&mut game, "move_stack 0,0>1,0");
    assert!(is_legal(&game, "skip_capture"));
    play(&mut game, "skip_capture");
    assert_eq!(game.phase().name(), "line_processing");
    play(&mut direct, "overtaking_capture 0,0x3,0>7,0");
    assert_eq!(direct.phase().name(), "line_processing", "the target is gone: nothing to go on with");
}

#[test]
fn markers_on_both_sides_of_the_target_are_crossed() {
    let mut game = square8(
        "movement",
        "1 b 2 b a . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2",
    )
    .start();
    play(&mut game, "overtaking_capture 0,0x2,0>5,0");
    assert_board(
        &game,
        "a a . a A 21 . .
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
fn stacks_taller_than_sixteen_keep_their_rings() {
    // 17 rings: one lies in the overflow. A capture puts one more under it, a landing on a marker takes the top one.
    let tall = format!("2{}1", "21".repeat(7)) + "1";
    assert_eq!(tall.len(), 17);
    let mut rows = vec![". ".repeat(19); 19];
    rows[0] = format!("{tall} . 2 {}b", ". ".repeat(15));
    let mut game = position(Board::Square19, 2, "movement", &rows.join("\n")).start();
    assert_eq!(
        legal(&game),
        [
            "move_stack 0,0>0,17",
            "move_stack 0,0>0,18",
            "move_stack 0,0>17,17",
            "move_stack 0,0>18,18",
            "overtaking_capture 0,0x2,0>17,0",
            "overtaking_capture 0,0x2,0>18,0"
        ]
    );
    play(&mut game, "overtaking_capture 0,0x2,0>18,0");
    let rings: String = game.rings(18).iter().map(|seat| (b'1' + *seat as u8) as char).collect();
    assert_eq!(rings, format!("2{}", &tall[..16]));
    assert_eq!(game.eliminated(0) + game.eliminated(1), 144 - 17);
}
