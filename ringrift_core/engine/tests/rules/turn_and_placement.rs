//! Sections 3 and 4.1: the phases of a turn, placement, skips; section 10: the pie rule.

use ringrift_engine::{Board, Game, Profile, Setup};
use serde_json::json;

use crate::drawn::{is_legal, legal, legal_of, play, play_all, square8};

const BLOCKED_STACK: &str = "1 A . . . . . .
     B A . . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . . . .
     . . . . . . . 2";

#[test]
fn an_ordinary_turn_visits_every_phase() {
    let mut game = Game::new(Setup::new(Board::Square8, 2, Profile::Canonical).unwrap());
    assert_eq!(legal(&game).len(), 3 * 64, "any cell, 1 to 3 rings, and no skip before there is a stack");
    let turn = ["place_ring 3,3 n=2", "move_stack 3,3>5,3", "no_line_action", "no_territory_action"];
    let phases = ["movement", "line_processing", "territory_processing", "ring_placement"];
    for (one, phase) in turn.into_iter().zip(phases) {
        play(&mut game, one);
        assert_eq!(game.phase().name(), phase);
    }
    assert_eq!((game.to_move(), game.turn_number(), game.hand(0)), (1, 2, 16));
}

#[test]
fn placement_is_compulsory_while_nothing_can_move() {
    let position = square8("ring_placement", BLOCKED_STACK).hand(&[5, 5]);
    assert!(!is_legal(&position.start(), "skip_placement"));
    let free = BLOCKED_STACK.replacen('A', ".", 1);
    assert!(is_legal(&square8("ring_placement", &free).hand(&[5, 5]).start(), "skip_placement"));
    assert_eq!(legal(&position.hand(&[0, 5]).start()), ["no_placement_action"]);
}

#[test]
fn rings_go_on_empty_cells_and_stacks_only() {
    let drawing = "a b . . . . . .
         . 2 . . . . . .
         . . . A . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 11";
    let mut game = square8("ring_placement", drawing).hand(&[2, 5]).start();
    for cell in ["0,0", "1,0", "3,2"] {
        assert!(legal_of(&game, &format!("place_ring {cell} ")).is_empty(), "{cell}");
    }
    assert_eq!(legal_of(&game, "place_ring 4,4 ").len(), 2, "no more than the rings in hand");
    assert_eq!(legal_of(&game, "place_ring 1,1 "), ["place_ring 1,1 n=1"]);
    play(&mut game, "place_ring 1,1 n=1");
    assert_eq!(game.rings(9), [1, 0]);
    assert!(legal(&game).iter().all(|one| one.contains(" 1,1")), "only the stack placed on may move");
}

#[test]
fn a_placement_needs_a_move_for_its_own_count() {
    // The corner's rays: east blocked at distance 3, the others at 1; so heights 1 and 2 can move.
    let drawing = ". . . A . . . .
         A A . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2";
    let game = square8("ring_placement", drawing).hand(&[5, 5]).start();
    assert_eq!(legal_of(&game, "place_ring 0,0 "), ["place_ring 0,0 n=1", "place_ring 0,0 n=2"]);
}

#[test]
fn a_stack_that_grows_too_high_to_move_takes_no_ring() {
    let drawing = "1111111 . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 2";
    let game = square8("ring_placement", drawing).hand(&[5, 5]).start();
    assert!(legal_of(&game, "place_ring 0,0 ").is_empty(), "height 8 has no ray");
    assert!(is_legal(&game, "skip_placement"), "height 7 has");
}

#[test]
fn recovery_eligible_seats_may_skip_and_then_recover_or_pass() {
    let drawing = "a . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 12";
    let mut game = square8("ring_placement", drawing).hand(&[5, 5]).start();
    play(&mut game, "skip_placement");
    assert_eq!(legal_of(&game, "recovery_slide").len(), 3);
    play_all(&mut game, &["skip_recovery", "no_line_action"]);
    assert_eq!(game.phase().name(), "territory_processing");
}

#[test]
fn an_eligible_seat_without_a_slide_has_the_no_op() {
    let drawing = "a A . . . . . .
         A A . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 12";
    let position = square8("movement", drawing);
    assert_eq!(legal(&position.clone().start()), ["no_movement_action"]);
    assert_eq!(legal(&position.deployed().start()), ["skip_recovery"]);
}

#[test]
fn the_swap_is_offered_once_at_seat_2s_first_decision() {
    let setup = Setup::new(Board::Square8, 2, Profile::Canonical).unwrap().with_swap(true);
    let mut game = Game::new(setup);
    assert!(!is_legal(&game, "swap_sides"));
    play_all(&mut game, &["place_ring 3,3 n=1", "move_stack 3,3>4,3", "no_line_action", "no_territory_action"]);
    let mut declined = game.clone();
    let before = game.to_json(false);
    play(&mut game, "swap_sides");
    assert_eq!(game.to_json(false), before, "the agents change places, the board does not");
    assert!(!is_legal(&game, "swap_sides"));
    play_all(&mut declined, &["place_ring 0,7 n=1", "move_stack 0,7>1,7", "no_line_action", "no_territory_action"]);
    play_all(&mut declined, &["skip_placement", "move_stack 4,3>4,2", "no_line_action", "no_territory_action"]);
    assert!(!is_legal(&declined, "swap_sides"));
    let without = Game::new(setup.with_swap(false));
    assert!(!is_legal(&without, "swap_sides"));
    let three = Game::new(Setup::new(Board::Square8, 3, Profile::Canonical).unwrap().with_swap(true));
    let mut three = three;
    play_all(&mut three, &["place_ring 3,3 n=1", "move_stack 3,3>4,3", "no_line_action", "no_territory_action"]);
    assert!(!is_legal(&three, "swap_sides"), "two-player games only");
}

#[test]
fn eliminated_seats_are_passed_over() {
    let drawing = ". . . . . . . .
         . . . . . . . .
         . . . 1 . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . 3 . .
         . . . . . . . .
         . . . . . . . .";
    let position = crate::drawn::position(Board::Square8, 3, "territory_processing", drawing).changed();
    let mut game = position.game("goneAt", json!([null, 4, null])).start();
    play(&mut game, "no_territory_action");
    assert_eq!((game.to_move(), game.turn_number()), (2, 22));
}
