//! Planes and global features: masked, equivariant, and packed without loss.

use super::{canonical, games, random_game, setups};
use crate::board::Geometry;
use crate::encoding::bitmaps::{bytes, pack, Unpacker};
use crate::encoding::frame::{pixel_of_cell, Frame};
use crate::encoding::{globals, planes, Shape};
use crate::state::State;
use crate::symmetry::Symmetry;
use crate::with_geometry;

fn planes_of<G: Geometry>(state: &State<G>, frame: &Frame) -> Vec<f32> {
    let mut written = vec![0.0; Shape::of(G::BOARD, state.players()).plane_len()];
    planes::write(state, frame, &mut written);
    written
}

fn globals_of<G: Geometry>(state: &State<G>) -> Vec<f32> {
    let mut written = vec![0.0; Shape::of(G::BOARD, state.players()).globals];
    globals::write(state, &mut written);
    written
}

#[test]
fn packed_planes_unpack_to_those_written_directly_through_every_frame() {
    for setup in setups() {
        let (board, players) = (setup.board(), setup.players());
        let unpacker = Unpacker::of(board, players);
        for seed in 0..games(setup).min(10) {
            let mut turn = 0;
            with_geometry!(board, G => random_game::<G>(setup, 900 + seed, |state, _| {
                let frame = Frame::of(board, turn % Frame::all(board).len());
                turn += 1;
                let (mut packed, direct) = (vec![0; bytes(board, players)], planes_of(state, frame));
                pack(state, frame, &mut packed);
                let mut unpacked = vec![0.0; direct.len()];
                unpacker.unpack(&packed, &mut unpacked);
                assert!(unpacked == direct, "{}", state.to_json(true));
            }));
        }
    }
}

#[test]
fn cells_outside_a_hexagon_are_zero_in_every_plane() {
    for setup in setups().into_iter().filter(|setup| setup.board().is_hex()) {
        let board = setup.board();
        let area = board.size() * board.size();
        let mut real = vec![false; area];
        (0..board.cells()).for_each(|cell| real[pixel_of_cell(board, cell)] = true);
        with_geometry!(board, G => random_game::<G>(setup, 5, |state, _| {
            let written = planes_of(state, Frame::identity(board));
            let outside = written.iter().enumerate().filter(|(at, _)| !real[at % area]);
            assert!(outside.map(|(_, number)| *number).all(|number| number == 0.0));
            let mask = &written[(setup.players() * planes::SEAT_PLANES + planes::CELLS) * area..][..area];
            assert!(mask.iter().zip(&real).all(|(number, real)| *number == f32::from(*real)));
        }));
    }
}

#[test]
fn a_symmetry_moves_planes_as_it_moves_cells_and_leaves_global_features() {
    for setup in canonical() {
        let board = setup.board();
        let symmetries = Symmetry::all(board);
        let area = board.size() * board.size();
        for seed in 0..games(setup).min(8) {
            with_geometry!(board, G => random_game::<G>(setup, 40 + seed, |state, _| {
                let index = state.identity_key() as usize % symmetries.len();
                let (symmetry, mapped) = (symmetries[index], state.mapped(symmetries[index]));
                let plain = planes_of(state, Frame::identity(board));
                let mut moved = vec![0.0; plain.len()];
                for cell in 0..board.cells() {
                    let (from, to) = (pixel_of_cell(board, cell), pixel_of_cell(board, symmetry.cell(cell)));
                    (0..plain.len() / area).for_each(|plane| moved[plane * area + to] = plain[plane * area + from]);
                }
                assert!(planes_of(state, Frame::of(board, index)) == moved);
                assert!(planes_of(&mapped, Frame::identity(board)) == moved);
                assert_eq!(globals_of(&mapped), globals_of(state));
            }));
        }
    }
}

#[test]
fn global_features_are_float16_and_seldom_large() {
    for setup in setups() {
        with_geometry!(setup.board(), G => random_game::<G>(setup, 6, |state, _| {
            for number in globals_of(state) {
                assert_eq!(half::f16::from_f32(number).to_f32(), number);
                assert!((0.0..=5.0).contains(&number), "{number}");
            }
        }));
    }
}

/// Every ring of both players in one stack: the counts that take most digits, and runs that are no single rings.
#[test]
fn the_tallest_stack_is_told_and_packed() {
    for board in crate::Board::ALL {
        let rings = board.rings_per_player() as usize;
        let cell = if board.is_hex() { "0,0" } else { "3,3" };
        let text = "1".repeat(rings) + &"2".repeat(rings);
        let state = serde_json::json!({
            "p": 2, "ph": "movement", "stk": {cell: text}, "mk": {}, "col": {}, "hand": [0, 0], "elim": [0, 0],
            "terr": [0, 0],
        });
        let setup = crate::Setup::new(board, 2, crate::Profile::Canonical).expect("2 players");
        with_geometry!(board, G => {
            let state = State::<G>::from_json(setup, &state).expect("a possible state");
            let direct = planes_of(&state, Frame::identity(board));
            let (x, y) = if board.is_hex() { (0, 0) } else { (3, 3) };
            let at = pixel_of_cell(board, board.cell_at(x, y).expect("on the board"));
            let found: Vec<f32> = direct.iter().skip(at).step_by(board.size() * board.size()).copied().collect();
            let all = rings as f32 / 8.0;
            // The mover's planes, the other's, then the board's.
            assert_eq!(found[..7], [1.0, 2.0 * all, all, all, 0.0, 0.0, 0.0]);
            assert_eq!(found[7..], [0.0, 0.0, 0.0, all, all, 0.0, 0.0, 1.0, 0.0, 0.0]);
            let mut packed = vec![0; bytes(board, 2)];
            pack(&state, Frame::identity(board), &mut packed);
            let mut unpacked = vec![0.0; direct.len()];
            Unpacker::of(board, 2).unpack(&packed, &mut unpacked);
            assert!(unpacked == direct, "{}", board.name());
        });
    }
}

/// Renaming seats turns a position into one that looks the same to its mover.
#[test]
fn only_the_place_of_a_seat_from_the_mover_counts() {
    let setup = crate::Setup::new(crate::Board::Square8, 2, crate::Profile::Canonical).expect("2 to 4 players");
    random_game::<crate::board::Square8>(setup, 3, |state, _| {
        let mut renamed = *state;
        renamed.stacks = crate::stack::Stacks::NONE;
        for slot in 0..64 {
            state.stacks.rings(slot).for_each(|ring| renamed.stacks.push_top(slot, 1 - ring));
        }
        for sets in [&mut renamed.controlled, &mut renamed.markers, &mut renamed.collapsed] {
            sets.swap(0, 1);
        }
        for counts in [&mut renamed.hand, &mut renamed.credited, &mut renamed.territory, &mut renamed.on_board] {
            counts.swap(0, 1);
        }
        renamed.seat = 1 - state.seat;
        renamed.record.tracker.marks.swap(0, 1);
        for seat in [&mut renamed.record.tracker.leader, &mut renamed.record.tracker.solo_seat] {
            *seat = if *seat < 2 { 1 - *seat } else { *seat };
        }
        assert!(
            planes_of(state, Frame::identity(crate::Board::Square8))
                == planes_of(&renamed, Frame::identity(crate::Board::Square8))
        );
        assert_eq!(globals_of(state), globals_of(&renamed));
    });
}
