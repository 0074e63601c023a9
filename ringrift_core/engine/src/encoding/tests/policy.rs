//! Keys of moves: distinct, on real cells, and the same through every symmetry.

use std::collections::HashSet;

use super::{canonical, games, has_axis_tie, random_game, setups};
use crate::board::{Board, Geometry};
use crate::encoding::frame::{pixel_of_cell, Frame};
use crate::encoding::policy::{keys, planes, Keys, GLOBAL_KEYS, MOST_KEYS};
use crate::encoding::Shape;
use crate::moves::{Move, MoveKind};
use crate::setup::{Profile, Setup};
use crate::state::State;
use crate::symmetry::Symmetry;
use crate::with_geometry;

fn real_pixels(board: Board) -> HashSet<usize> {
    (0..board.cells()).map(|cell| pixel_of_cell(board, cell)).collect()
}

#[test]
fn no_two_legal_moves_have_the_same_keys_and_none_lies_outside_the_board() {
    let mut kinds = HashSet::new();
    for setup in setups() {
        let (pixels, side) = (real_pixels(setup.board()), setup.board().size());
        let spatial = planes(setup.board(), setup.players()) * side * side;
        let (shape, mut seen) = (Shape::of(setup.board(), setup.players()), 0);
        for seed in 0..2 * games(setup) {
            with_geometry!(setup.board(), G => random_game::<G>(setup, seed, |state, legal| {
                let frame = Frame::identity(G::BOARD);
                let named: HashSet<Keys> = legal.iter().map(|one| keys(state, *one, frame)).collect();
                assert_eq!(named.len(), legal.len(), "{}", state.to_json(true));
                for (one, keys) in legal.iter().map(|one| (one, keys(state, *one, frame))) {
                    kinds.insert((setup.profile(), one.kind().name()));
                    assert_eq!(keys.is_empty(), one.kind().is_automatic());
                    let most = if one.kind() == MoveKind::ChooseTerritoryOption { MOST_KEYS } else { 3 };
                    assert!(keys.len() <= most);
                    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "ascending, each once");
                    for key in keys.iter().map(|key| *key as usize) {
                        assert!(key < shape.policy);
                        assert!(key >= spatial || pixels.contains(&(key % (side * side))));
                    }
                }
                seen += legal.len();
            }));
        }
        assert!(seen > 1000, "{setup:?}: {seen} moves");
    }
    let names: HashSet<_> = MoveKind::ALL.iter().map(|kind| kind.name()).collect();
    for profile in [Profile::Canonical, Profile::Deployed] {
        let reached: HashSet<_> = kinds.iter().filter(|kind| kind.0 == profile).map(|kind| kind.1).collect();
        assert_eq!(reached, names, "every type of move was tried");
    }
}

/// Number of the direction from one cell towards another in the order of rules.md section 1, and their distance.
fn direction(board: Board, from: usize, to: usize) -> usize {
    let ((x, y), (to_x, to_y)) = (board.coordinates(from), board.coordinates(to));
    let steps = ((to_x - x).signum(), (to_y - y).signum());
    (0..board.directions()).find(|direction| board.direction(*direction) == steps).expect("on a common ray")
}

/// The table of docs/encoding.md, written down again: (plane, cell) of every key; none for moves not checked here.
fn documented<G: Geometry>(state: &State<G>, one: Move) -> Vec<(usize, usize)> {
    let (board, directions) = (G::BOARD, G::BOARD.directions());
    let (a, b, c) = (one.a(), one.b(), one.c());
    let (land, capture) = (3 + directions, 3 + 2 * directions);
    let ends = |first: usize, from: usize, to: usize| {
        vec![(first + direction(board, from, to), from), (first + direction(board, to, from), to)]
    };
    let along = |steps: usize| {
        let ((x, y), (dx, dy)) = (board.coordinates(a), board.direction(b));
        board.cell_at(x + dx * steps as i32, y + dy * steps as i32)
    };
    match one.kind() {
        MoveKind::PlaceRing => vec![(b - 1, a)],
        MoveKind::MoveStack => vec![(3 + direction(board, a, b), a), (land + direction(board, a, b), b)],
        MoveKind::OvertakingCapture | MoveKind::ContinueCaptureSegment => {
            let way = direction(board, a, b);
            vec![(3 + way, a), (capture + way, b), (3 + 3 * directions, c)]
        }
        MoveKind::ChooseLineSegment => {
            ends(4 + 4 * directions, a, along(state.line_length() - 1).expect("on the board"))
        }
        MoveKind::ProcessLine => ends(4 + 3 * directions, a, along(state.line_length() - 1).expect("on the board")),
        MoveKind::RecoveryFallback | MoveKind::RecoveryStrike => {
            vec![(4 + 5 * directions + direction(board, a, b), a), (6 + 6 * directions, c)]
        }
        MoveKind::EliminateForLine => vec![(4 + 6 * directions, a)],
        MoveKind::EliminateForTerritory | MoveKind::ForcedElimination => vec![(5 + 6 * directions, a)],
        MoveKind::EliminateForRecovery => vec![(6 + 6 * directions, a)],
        _ => Vec::new(),
    }
}

#[test]
fn keys_lie_in_the_documented_planes() {
    let mut kinds = HashSet::new();
    for setup in canonical() {
        let board = setup.board();
        let area = board.size() * board.size();
        for seed in 0..games(setup) {
            with_geometry!(board, G => random_game::<G>(setup, seed, |state, legal| {
                for one in legal {
                    let found = keys(state, *one, Frame::identity(board));
                    let mut expected: Vec<_> = documented(state, *one)
                        .into_iter()
                        .map(|(plane, cell)| (plane * area + pixel_of_cell(board, cell)) as u16)
                        .collect();
                    expected.sort_unstable();
                    match one.kind() {
                        MoveKind::ChooseTerritoryOption => {
                            let label = match one.b() {
                                0 => 0,
                                wall => 1 + (wall - 1 + setup.players() - state.mover()) % setup.players(),
                            };
                            let plane = 7 + 6 * board.directions() + label;
                            assert!(found.iter().all(|key| *key as usize / area == plane));
                        }
                        kind if !expected.is_empty() => {
                            kinds.insert(kind);
                            assert_eq!(found[..], expected, "{one:?}");
                        }
                        _ => {}
                    }
                }
            }));
        }
    }
    assert_eq!(kinds.len(), 12, "{kinds:?}");
}

#[test]
fn symmetries_map_the_keys_of_moves_to_those_of_the_mapped_moves() {
    for setup in canonical() {
        let symmetries = Symmetry::all(setup.board());
        for seed in 0..games(setup).min(8) {
            with_geometry!(setup.board(), G => random_game::<G>(setup, 70 + seed, |state, legal| {
                // On the large boards a state takes one symmetry: all have their turn.
                let chosen = state.identity_key() as usize % symmetries.len();
                if has_axis_tie(state) {
                    return;
                }
                for (index, symmetry) in symmetries.iter().enumerate() {
                    if G::BOARD.cells() > 100 && index != chosen {
                        continue;
                    }
                    let (frame, identity) = (Frame::of(G::BOARD, index), Frame::identity(G::BOARD));
                    let mapped = state.mapped(*symmetry);
                    for one in legal {
                        let seen = keys(state, *one, frame);
                        let image = state.map_move(*symmetry, *one);
                        assert_eq!(seen, keys(&mapped, image, identity), "{one:?} by {symmetry:?}: {}", state.to_json(true));
                    }
                }
            }));
        }
    }
}

/// A symmetry moves every key's cell as it moves cells, and keeps its plane or turns its direction: so permuting the
/// policy output turns a position's logits into those of the mapped position.
#[test]
fn a_symmetry_permutes_the_policy_output() {
    for setup in canonical().filter(|setup| setup.board().cells() < 100) {
        let (board, side) = (setup.board(), setup.board().size());
        let area = side * side;
        for (index, symmetry) in Symmetry::all(board).iter().enumerate() {
            let mut images = vec![None; Shape::of(board, setup.players()).policy];
            let cell_of = |pixel: usize| (0..board.cells()).find(|cell| pixel_of_cell(board, *cell) == pixel);
            for seed in 0..4 {
                with_geometry!(board, G => random_game::<G>(setup, 300 + seed, |state, legal| {
                    let single = legal.iter().filter(|one| {
                        matches!(one.kind(), MoveKind::PlaceRing | MoveKind::SkipPlacement | MoveKind::SwapSides | MoveKind::EliminateForLine)
                    });
                    for one in single {
                        let key = keys(state, *one, Frame::identity(board))[0] as usize;
                        let image = keys(state, *one, Frame::of(board, index))[0] as usize;
                        assert_eq!(*images[key].get_or_insert(image), image, "one image for each key");
                        if let Some(cell) = cell_of(key % area).filter(|_| key + GLOBAL_KEYS < images.len()) {
                            assert_eq!((image / area, cell_of(image % area)), (key / area, Some(symmetry.cell(cell))));
                        } else {
                            assert_eq!(image, key);
                        }
                    }
                }));
            }
            assert!(images.iter().flatten().count() > 100);
        }
    }
}

#[test]
fn the_policy_has_the_documented_size_and_keys_fit_sixteen_bits() {
    let size = |board, players| Shape::of(board, players).policy;
    assert_eq!(size(Board::Square8, 2), 58 * 64 + 5);
    assert_eq!(size(Board::Hex8, 3), 47 * 81 + 5);
    assert_eq!(size(Board::Square19, 2), 58 * 361 + 5);
    assert_eq!(size(Board::Hexagonal, 4), 48 * 625 + 5);
    let all = Board::ALL.into_iter().flat_map(|board| (2..=4).map(move |players| (board, players)));
    assert!(all.into_iter().all(|(board, players)| size(board, players) <= u16::MAX as usize));
}

#[test]
fn a_moves_logit_is_the_sum_of_its_keys() {
    let setup = Setup::new(Board::Square8, 2, Profile::Canonical).expect("2 to 4 players");
    let policy: Vec<f32> = (0..Shape::of(Board::Square8, 2).policy).map(|key| key as f32).collect();
    random_game::<crate::board::Square8>(setup, 1, |state, legal| {
        for one in legal {
            let keys = keys(state, *one, Frame::identity(Board::Square8));
            assert_eq!(keys.logit(&policy), keys.iter().map(|key| *key as f32).sum::<f32>());
        }
    });
}
