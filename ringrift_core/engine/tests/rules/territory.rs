//! Section 6: regions, their border, the claim and its price. Section 7: forced elimination.

use ringrift_engine::Board;
use serde_json::json;

use crate::drawn::{assert_board, legal, legal_of, play, play_all, position, square8};

#[test]
fn diagonal_walls_hold_on_squares() {
    let drawing = ". . b . . . . .
         . b . . . . . .
         b . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 .
         . . . . . . . 2";
    let mut game = square8("territory_processing", drawing).changed().start();
    assert_eq!(legal_of(&game, "choose"), ["choose_territory_option [0,0;0,1;1,0]"]);
    play(&mut game, "choose_territory_option [0,0;0,1;1,0]");
    assert_board(
        &game,
        "A A A . . . . .
         A A . . . . . .
         A . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 .
         . . . . . . . 2",
    );
}

#[test]
fn border_markers_that_block_no_path_stay() {
    // 1,1 stands alone inside: next to the region, but not part of the wall. 3,3 is the wall's corner, not next to it.
    let drawing = ". . . b . . . .
         . b . b . . . .
         . . . b . . . .
         b b b b . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 .
         . . . . . . . 2";
    let mut game = square8("territory_processing", drawing).changed().start();
    play(&mut game, "choose_territory_option [0,0;0,1;0,2;1,0;1,2;2,0;2,1;2,2]");
    assert_board(
        &game,
        "A A A A . . . .
         A b A A . . . .
         A A A A . . . .
         A A A b . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 .
         . . . . . . . 2",
    );
}

#[test]
fn a_colour_region_is_listed_beside_the_collapsed_region_that_holds_its_markers() {
    // A collapsed corner pocket with one marker of player 2: with the marker (label none) and without it (label 2).
    let drawing = ". . . A . . . .
         . b . A . . . .
         . . . A . . . .
         A A A A . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 .
         . . . . . . . 2";
    let mut game = square8("territory_processing", drawing).changed().start();
    assert_eq!(
        legal_of(&game, "choose"),
        [
            "choose_territory_option [0,0;0,1;0,2;1,0;1,1;1,2;2,0;2,1;2,2]",
            "choose_territory_option [0,0;0,1;0,2;1,0;1,2;2,0;2,1;2,2]"
        ]
    );
    play(&mut game, "choose_territory_option [0,0;0,1;0,2;1,0;1,2;2,0;2,1;2,2]");
    assert_eq!(game.content(9), ringrift_engine::Content::Marker { owner: 1 });
}

#[test]
fn a_region_with_every_colour_does_not_count() {
    let walled = ". . . a . . . .
         . 2 . a . . . .
         . 1 . a . . . .
         a a a a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 11 .
         . . . . . . . .";
    let regions = legal_of(&square8("territory_processing", walled).changed().start(), "choose");
    assert_eq!(regions.len(), 1, "both colours inside, one outside");
    assert!(regions[0].starts_with("choose_territory_option [0,4;"));
    let mixed = walled.replacen(". . . . . . . .", ". . . . . . . 2", 1);
    assert_eq!(legal(&square8("territory_processing", &mixed).changed().start()), ["no_territory_action"]);
}

#[test]
fn buried_colours_are_active() {
    // Player 2 has only a buried ring, outside: so a region of player 1 alone is a strict subset.
    let drawing = "1 a . . . . . .
         a . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 21 .
         . . . . . . . .";
    let game = square8("territory_processing", drawing).changed().start();
    assert_eq!(legal_of(&game, "choose").len(), 2);
    let game = square8("territory_processing", &drawing.replace("21", "11")).changed().start();
    assert_eq!(legal(&game), ["no_territory_action"], "one active colour only");
}

#[test]
fn the_price_comes_from_outside() {
    let drawing = "1 a . . . . . .
         a . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 2 .
         . . . . . . . .";
    let game = square8("territory_processing", drawing).changed().start();
    let regions = legal_of(&game, "choose");
    assert_eq!(regions.len(), 1, "the corner cannot be paid for, the outside can, from the corner");
    assert!(regions[0].starts_with("choose_territory_option [0,2;"));
}

#[test]
fn a_claim_costs_the_whole_cap_and_may_be_declined() {
    let drawing = "2 a . . . . . .
         a . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . 2 . .
         . . . . . . 2111 .
         . . . . . . . .";
    let mut game = square8("territory_processing", drawing).changed().hand(&[6, 6]).start();
    let mut declined = game.clone();
    play(&mut declined, "skip_territory_processing");
    assert_eq!(declined.phase().name(), "ring_placement");
    let before = game.eliminated(0);
    play(&mut game, "choose_territory_option [0,0]");
    assert_eq!(legal(&game), ["eliminate_rings_from_stack 6,6 ctx=territory"]);
    play(&mut game, "eliminate_rings_from_stack 6,6 ctx=territory");
    assert_eq!(game.eliminated(0), before + 1 + 3);
    assert_eq!(game.rings(6 * 8 + 6), [1]);
}

#[test]
fn regions_may_hold_markers_of_other_colours() {
    let drawing = ". c a . . . . .
         b a . . . . . .
         a . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . 1 . .
         . . . . . . 2 .
         . . . . . . . 3";
    let mut game = position(Board::Square8, 3, "territory_processing", drawing).changed().start();
    assert_eq!(legal_of(&game, "choose"), ["choose_territory_option [0,0;0,1;1,0]"]);
    play(&mut game, "choose_territory_option [0,0;0,1;1,0]");
    assert_eq!(game.territory(0), 6);
}

#[test]
fn a_recovery_turn_pays_with_a_buried_ring() {
    let drawing = "2 a . . . . . .
         a . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . 112 . .
         . . . . . . 2 .
         . . . . . . . 1212";
    let recovered = square8("territory_processing", drawing).changed().turn("recovered", json!(true));
    let mut game = recovered.hand(&[5, 5]).start();
    play(&mut game, "choose_territory_option [0,0]");
    let payers = ["5,5", "7,7"].map(|cell| format!("eliminate_rings_from_stack {cell} ctx=recovery"));
    assert_eq!(legal(&game), payers);
    play(&mut game, &payers[1]);
    assert_eq!(game.rings(63), [1, 0, 1], "the lowest ring of the payer's colour");
}

#[test]
fn a_turn_in_which_nothing_changed_ends_with_a_forced_elimination() {
    let drawing = "11 A . . . . . .
         B A . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . A B
         . . . . . . A 21";
    let mut game = square8("ring_placement", drawing).hand(&[0, 10]).start();
    play_all(&mut game, &["no_placement_action", "no_movement_action", "no_line_action"]);
    let regions = legal_of(&game, "choose");
    assert!(!regions.is_empty());
    play(&mut game, "skip_territory_processing");
    assert_eq!(legal(&game), ["forced_elimination 0,0", "forced_elimination 7,7"], "a skipped region changes nothing");
    let before = game.eliminated(0);
    play(&mut game, "forced_elimination 0,0");
    assert_eq!(game.eliminated(0), before + 2);
    assert_eq!(game.phase().name(), "ring_placement");
}
