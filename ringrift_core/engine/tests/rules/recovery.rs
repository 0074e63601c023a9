//! Section 8: recovery.

use ringrift_engine::{Board, Game};

use crate::drawn::{assert_board, legal, legal_of, play, position, square8};

#[test]
fn no_fallback_while_a_line_slide_exists() {
    let drawing = "a a a . . . . .
         . . . a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . a . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . .";
    let game = square8("movement", drawing).start();
    assert_eq!(legal(&game), ["recovery_slide 3,1>3,0 mode=line opt=1 extract=6,6", "skip_recovery"]);
}

#[test]
fn overlength_offers_the_whole_run_or_any_segment() {
    let drawing = "a a . a a . . .
         . . a . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . 12";
    let mut game = square8("movement", drawing).start();
    assert_eq!(
        legal(&game),
        [
            "recovery_slide 2,1>2,0 mode=line opt=1 extract=6,6",
            "recovery_slide 2,1>2,0 mode=line opt=1 extract=7,7",
            "recovery_slide 2,1>2,0 mode=line opt=2 collapse=[0,0;1,0;2,0;3,0]",
            "recovery_slide 2,1>2,0 mode=line opt=2 collapse=[1,0;2,0;3,0;4,0]",
            "skip_recovery"
        ]
    );
    let before = game.eliminated(0);
    play(&mut game, "recovery_slide 2,1>2,0 mode=line opt=2 collapse=[1,0;2,0;3,0;4,0]");
    assert_eq!(game.eliminated(0), before, "a segment costs nothing");
    assert_board(
        &game,
        "a A A A A . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . 12",
    );
    assert_eq!(legal(&game), ["no_line_action"]);
}

#[test]
fn the_longest_run_counts_ties_by_axis_order() {
    // 3,0 completes 4 eastward (0,0 to 3,0) and 4 southward (3,0 to 3,3): the axis E comes first.
    let drawing = "a a a . . . . .
         . . . a a . . .
         . . . a . . . .
         . . . a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . .";
    let mut game = square8("movement", drawing).start();
    play(&mut game, "recovery_slide 4,1>3,0 mode=line opt=1 extract=6,6");
    assert_eq!(game.territory(0), 4);
    assert_board(
        &game,
        "A A A A . . . .
         . . . a . . . .
         . . . a . . . .
         . . . a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 2 .
         . . . . . . . .",
    );
}

#[test]
fn the_longer_run_beats_the_earlier_axis() {
    // 3,0 completes 4 eastward and 5 southward.
    let drawing = "a a a . . . . .
         . . . a a . . .
         . . . a . . . .
         . . . a . . . .
         . . . a . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . .";
    let mut game = square8("movement", drawing).start();
    play(&mut game, "recovery_slide 4,1>3,0 mode=line opt=1 extract=6,6");
    assert_eq!(game.territory(0), 5);
    let deployed = square8("movement", drawing).deployed().start();
    assert_eq!(legal_of(&deployed, "recovery_slide 4,1>3,0"), ["recovery_slide 4,1>3,0 mode=line opt=1"], "E is first");
}

#[test]
fn fallback_slides_keep_the_marker_and_strikes_lose_it() {
    let drawing = ". . . . . . . .
         . a 2 . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . .";
    let game = square8("movement", drawing).start();
    assert_eq!(legal_of(&game, "recovery_slide").len(), 8);
    let (mut slid, mut struck) = (game.clone(), game);
    play(&mut slid, "recovery_slide 1,1>0,0 mode=fallback extract=6,6");
    assert_board(
        &slid,
        "a . . . . . . .
         . . 2 . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 2 .
         . . . . . . . .",
    );
    let before = struck.eliminated(0);
    play(&mut struck, "recovery_slide 1,1>2,1 mode=stack_strike extract=6,6");
    assert_eq!(struck.eliminated(0), before + 2);
    assert_board(
        &struck,
        ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 2 .
         . . . . . . . .",
    );
}

#[test]
fn the_struck_stack_may_pay() {
    let drawing = ". . . . . . . .
         . a 12 . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 2 .
         . . . . . . . .";
    let mut game = square8("movement", drawing).start();
    play(&mut game, "recovery_slide 1,1>2,1 mode=stack_strike extract=2,1");
    assert_eq!(game.rings(8 + 2), [] as [usize; 0]);
}

#[test]
fn deployed_recovery_names_the_oldest_payer_and_the_first_axis() {
    let drawing = "a . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . .
         12 . . . . . . .";
    let order = serde_json::json!(["0,7", "6,5"]);
    let game = square8("movement", drawing).deployed().game("oldestFirst", order).start();
    assert!(legal_of(&game, "recovery_slide").iter().all(|one| one.ends_with("extract=0,7")));
    assert_eq!(legal_of(&game, "recovery_slide").len(), 3);

    let overlength = "a a . a a . . .
         . . a . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 12 .
         . . . . . . . 12";
    let game = square8("movement", overlength).deployed().start();
    assert_eq!(
        legal(&game),
        [
            "recovery_slide 2,1>2,0 mode=line opt=1",
            "recovery_slide 2,1>2,0 mode=line opt=2 collapse=[0,0;1,0;2,0;3,0]",
            "skip_recovery"
        ]
    );
}

#[test]
fn hex_slides_go_six_ways() {
    let board = Board::Hex8;
    let mut tokens = vec!["."; board.cells()];
    tokens[board.cell_at(0, 0).unwrap()] = "a";
    tokens[board.cell_at(4, 0).unwrap()] = "12";
    let game = position(board, 2, "movement", &tokens.join(" ")).start();
    assert_eq!(legal_of(&game, "recovery_slide").len(), 6);
}

#[test]
fn a_segment_of_a_run_far_beyond_l_is_played_as_listed() {
    // A hand-made position: a line already lies there at the start of the turn, and the slide makes it 8 cells long.
    let drawing = "a a a a . a a a
         . . . . a . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         12 . . . . . . .";
    let game = square8("movement", drawing).start();
    let slides = legal_of(&game, "recovery_slide 4,1>4,0");
    assert_eq!(slides.iter().filter(|text| text.contains("opt=2")).count(), 5);
    for text in slides {
        play(&mut game.clone(), &text);
    }
}

#[test]
fn deployed_turns_in_a_row_keep_recovered_and_their_states_are_read_back() {
    let drawing = ". . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . a . . .
         . . . . 12 . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .";
    let mut game = square8("ring_placement", drawing).hand(&[3, 0]).eliminated(&[15, 16]).deployed().start();
    for text in [
        "skip_placement",
        "recovery_slide 4,3>4,4 mode=stack_strike extract=4,4",
        "no_line_action",
        "no_territory_action",
        "place_ring 0,0 n=1",
        "move_stack 0,0>0,1",
    ] {
        play(&mut game, text);
        let state = game.to_json(true);
        let again = Game::from_json(game.setup(), &state).unwrap_or_else(|error| panic!("after {text}: {error}"));
        assert_eq!(again.to_json(true), state);
    }
    assert_eq!(game.to_json(true)["turn"]["recovered"], true);
}
