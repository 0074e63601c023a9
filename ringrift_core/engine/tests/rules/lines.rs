//! Section 5: lines.

use ringrift_engine::Board;

use crate::drawn::{assert_board, legal, legal_of, play, play_all, position, square8};

#[test]
fn only_the_movers_runs_of_l_or_more_count() {
    let drawing = "b b b b . . . .
         . . . . . . . .
         a a a . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . 1
         . . . . . . . 2";
    let game = square8("line_processing", drawing).changed().start();
    assert_eq!(legal(&game), ["no_line_action"]);
    let game = position(Board::Square8, 3, "line_processing", drawing).changed().start();
    assert_eq!(legal(&game), ["process_line [0,2;1,2;2,2]"], "L = 3 with three players");
}

#[test]
fn all_four_axes_of_the_square() {
    let drawing = "a . . . . . . a
         . a . . . . a .
         . . a . . a . .
         . . . a a . . .
         . . . . . . . .
         a a a a . . . a
         . . . . . . . a
         1 . . . . . . a";
    let board = drawing.replacen(". . . . . . . .", ". . . . . . . a", 1);
    let mut game = square8("line_processing", &board).changed().start();
    assert_eq!(
        legal(&game),
        [
            "process_line [0,0;1,1;2,2;3,3]",
            "process_line [0,5;1,5;2,5;3,5]",
            "process_line [4,3;5,2;6,1;7,0]",
            "process_line [7,4;7,5;7,6;7,7]"
        ]
    );
    play_all(&mut game, &["process_line [4,3;5,2;6,1;7,0]", "eliminate_rings_from_stack 0,7 ctx=line"]);
    assert_eq!(game.territory(0), 4);
    assert_eq!(legal(&game).len(), 3);
}

#[test]
fn hex_lines_run_along_three_axes() {
    let board = Board::Hex8;
    for (dx, dy) in [(1, 0), (1, -1), (0, -1)] {
        let mut tokens = vec!["."; board.cells()];
        for step in -1..=2 {
            tokens[board.cell_at(dx * step, dy * step).unwrap()] = "a";
        }
        tokens[0] = "1";
        let game = position(board, 2, "line_processing", &tokens.join(" ")).changed().start();
        assert_eq!(legal_of(&game, "process_line").len(), 1, "axis {dx},{dy}");
        // (1,1) is no hex axis.
        let mut tokens = vec!["."; board.cells()];
        for step in -1..=2 {
            tokens[board.cell_at(step, step).unwrap()] = "a";
        }
        let game = position(board, 2, "line_processing", &tokens.join(" ")).changed().start();
        assert_eq!(legal(&game), ["no_line_action"]);
    }
}

#[test]
fn a_debt_is_paid_with_one_top_ring_before_the_next_line() {
    let mut game = square8(
        "line_processing",
        "a a a a . . . .
         . . . . . . . .
         a a a a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 211
         . . . . . . . 2",
    )
    .changed()
    .start();
    play(&mut game, "process_line [0,0;1,0;2,0;3,0]");
    assert_eq!(
        legal(&game),
        ["eliminate_rings_from_stack 6,6 ctx=line", "eliminate_rings_from_stack 7,6 ctx=line"],
        "any controlled stack, one-ring stacks included, before another line"
    );
    play(&mut game, "eliminate_rings_from_stack 7,6 ctx=line");
    assert_eq!(legal(&game), ["process_line [0,2;1,2;2,2;3,2]"]);
    assert_board(
        &game,
        "A A A A . . . .
         . . . . . . . .
         a a a a . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . . .
         . . . . . . 1 21
         . . . . . . . 2",
    );
}
