//! Rows of recorded games: targets follow agents, symmetries turn everything together.

use half::f16;

use crate::board::{Board, Geometry, Hex8, Square8};
use crate::encoding::bitmaps::{bytes, pack};
use crate::encoding::exact;
use crate::encoding::frame::Frame;
use crate::encoding::policy::keys;
use crate::encoding::rows::{draw_decisions, is_symmetric, rows_of_games, Making, Rows, Source};
use crate::moves::{MoveKind, MoveList};
use crate::players::Inner;
use crate::playout::Random;
use crate::records::game::{game_id, starting_seat};
use crate::records::packed::{self, to_bytes};
use crate::records::replay::replay;
use crate::records::searched::{self, Searched};
use crate::setup::{Profile, Setup};
use crate::state::State;
use crate::with_state;

pub(super) const PLAIN: Making = Making { seed: 1, symmetries: 0, exact_states: true, trees: false, features: false };

pub(super) struct Played {
    pub source: Source,
    pub winner: usize,
    /// Decision of the swap.
    pub swapped_at: Option<usize>,
}

/// A random game with a made-up search at every second decision; `swap` says whether the offer is taken.
pub(super) fn play<G: Geometry>(setup: Setup, seed: u64, swap: bool) -> Played {
    let (mut state, mut random, mut list) = (State::<G>::new(setup), Random::new(seed), MoveList::new());
    let (mut moves, mut searches, mut decision, mut swapped_at) = (Vec::new(), Vec::new(), 0, None);
    loop {
        state.legal_moves(&mut list);
        if list.is_empty() {
            break;
        }
        let swapping = list.iter().position(|one| one.kind() == MoveKind::SwapSides);
        let mut index = random.below(list.len());
        if let Some(place) = swapping {
            index = if swap { place } else { (place + 1 + random.below(list.len() - 1)) % list.len() };
        }
        if list.len() > 1 {
            if list[index].kind() == MoveKind::SwapSides {
                swapped_at = Some(decision);
            }
            if decision % 2 == 0 {
                let policy = vec![(list[index], 0.75), (list[(index + 1) % list.len()], 0.25)];
                let values = [0.5, 0.25, 0.125, 0.125];
                searches.push(Searched { decision: decision as u32, values, policy, inner: Vec::new() });
            }
            decision += 1;
        }
        moves.push(list[index]);
        state.apply(list[index]);
    }
    let moves = to_bytes(&moves);
    let source = Source {
        id: game_id(&setup, &moves),
        searches: searched::to_bytes(&searches, setup.players()),
        moves,
        decisions: None,
    };
    Played { source, winner: state.outcome().expect("a finished game").winner, swapped_at }
}

fn two_players(board: Board) -> Setup {
    Setup::new(board, 2, Profile::Canonical).expect("2 players").with_swap(true)
}

fn rows<G: Geometry>(setup: Setup, played: Played, making: Making) -> Rows {
    rows_of_games::<G>(setup, &[played.source], making).expect("a recorded game")
}

#[test]
fn outcomes_follow_the_agent_through_a_swap_and_search_values_the_seat() {
    for seed in 0..20 {
        let played = play::<Hex8>(two_players(Board::Hex8), seed, true);
        let (winner, swapped_at) = (played.winner, played.swapped_at.expect("swapped"));
        let rows = rows::<Hex8>(two_players(Board::Hex8), played, PLAIN);
        for row in 0..rows.len() {
            let mover = rows.seats[row] as usize - 1;
            // At the swap's own decision the agents still sit as they started.
            let before = rows.decisions[row] as usize <= swapped_at;
            let expected = starting_seat(winner, before) == mover;
            assert_eq!(rows.outcomes[2 * row].to_f32(), f32::from(expected));
            assert_eq!(rows.outcomes[2 * row].to_f32() + rows.outcomes[2 * row + 1].to_f32(), 1.0);
            let value = rows.values[2 * row].to_f32();
            match rows.decisions[row] % 2 {
                0 => assert_eq!(value, [0.5, 0.25][mover]),
                _ => assert!(value.is_nan()),
            }
        }
        let unswapped = play::<Hex8>(two_players(Board::Hex8), seed, false);
        let (winner, rows) = (unswapped.winner, self::rows::<Hex8>(two_players(Board::Hex8), unswapped, PLAIN));
        assert!(
            (0..rows.len()).all(|row| (rows.outcomes[2 * row] == f16::ONE) == (winner + 1 == rows.seats[row] as usize))
        );
    }
}

/// The columns of a row say what its exact state says, through every symmetry.
#[test]
fn a_row_is_its_exact_state_encoded() {
    for (board, symmetries) in [(Board::Square8, 0), (Board::Square8, 3), (Board::Hex8, 12)] {
        let setup = two_players(board);
        let making = Making { seed: 5, symmetries, exact_states: true, trees: false, features: false };
        let played = if board == Board::Hex8 { play::<Hex8>(setup, 2, true) } else { play::<Square8>(setup, 2, true) };
        let (moves, searches) = (played.source.moves.clone(), played.source.searches.clone());
        let rows = match board {
            Board::Hex8 => rows::<Hex8>(setup, played, making),
            _ => rows::<Square8>(setup, played, making),
        };
        let searches = searched::from_bytes(&searches, 2).expect("stored");
        let (width, mut state_at, mut share_at, mut key_at, mut seen) = (bytes(board, 2), 0, 0, 0, Vec::new());
        for row in 0..rows.len() {
            let length = rows.state_lengths[row] as usize;
            let game = exact::from_bytes(&rows.states[state_at..][..length]).expect("an exact state");
            state_at += length;
            let mut list = MoveList::new();
            game.legal_moves(&mut list);
            with_state!(&game, state => {
                let mut packed = vec![0; width];
                pack(state, Frame::identity(board), &mut packed);
                assert_eq!(rows.planes[row * width..][..width], packed);
                assert_eq!(state.mover() + 1, rows.seats[row] as usize);
                let legal = rows.legal[row] as usize;
                assert_eq!(legal, if rows.decisions[row] % 2 == 0 { list.len() } else { 0 });
                let mut named = Vec::new();
                for _ in 0..legal {
                    let count = rows.key_counts[share_at] as usize;
                    named.push((rows.keys[key_at..][..count].to_vec(), rows.shares[share_at]));
                    (share_at, key_at) = (share_at + 1, key_at + count);
                }
                let identity = Frame::identity(board);
                let mut expected: Vec<_> = list[..legal].iter().map(|one| keys(state, *one, identity).to_vec()).collect();
                let mut found: Vec<_> = named.iter().map(|(keys, _)| keys.clone()).collect();
                expected.sort();
                found.sort();
                assert_eq!(found, expected);
                if legal > 0 {
                    let total: f32 = named.iter().map(|(_, share)| share.to_f32()).sum();
                    assert_eq!(total, 1.0);
                }
                if rows.symmetries[row] == 0 && legal > 0 {
                    let searched = searches.iter().find(|searched| searched.decision == rows.decisions[row]);
                    let best = searched.expect("searched").policy[0].0;
                    let share = named.iter().find(|(named, _)| *named == *keys(state, best, identity));
                    assert_eq!(share.expect("a legal move").1.to_f32(), 0.75);
                }
            });
            seen.push((rows.decisions[row], rows.symmetries[row]));
        }
        assert_eq!((share_at, key_at, state_at), (rows.shares.len(), rows.keys.len(), rows.states.len()));
        let positions = searches.len() * 2 - rows.decisions.iter().max().map_or(0, |last| 1 - *last as usize % 2);
        assert_eq!(seen.len(), positions * symmetries.max(1));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), rows.len(), "no symmetry twice");
        assert!(!moves.is_empty());
    }
}

/// What descent keeps of its trees becomes rows behind their decisions: the position that the stored moves lead to, the
/// stored values by the seat to move, and no policy.
#[test]
fn stored_positions_of_trees_follow_their_decision() {
    let setup = two_players(Board::Square8);
    let mut played = play::<Square8>(setup, 3, true);
    let mut searches = searched::from_bytes(&played.source.searches, 2).expect("stored");
    let moves = packed::from_bytes(&played.source.moves).expect("moves");
    let mut expected = Vec::new();
    replay::<Square8>(setup, &moves, |decision, state, _| {
        let Some(searched) = searches.iter_mut().find(|searched| searched.decision as usize == decision) else {
            return;
        };
        let mut below = *state;
        let mut line = Vec::new();
        for values in [[0.75, 0.25, 0.0, 0.0], [0.125, 0.875, 0.0, 0.0]] {
            let mut list = MoveList::new();
            below.legal_moves(&mut list);
            let Some(one) = list.last().copied() else { return };
            below.apply(one);
            below.legal_moves(&mut list);
            if list.is_empty() {
                return;
            }
            line.push(one);
            searched.inner.push(Inner { moves: line.clone(), values });
            expected.push((decision as u32, line.len() as u16, exact::to_bytes(&below), values[below.mover()]));
        }
    })
    .expect("a legal game");
    played.source.searches = searched::to_bytes(&searches, 2);
    let source = || Source {
        id: played.source.id.clone(),
        moves: played.source.moves.clone(),
        searches: played.source.searches.clone(),
        decisions: None,
    };
    let without = rows_of_games::<Square8>(setup, &[source()], PLAIN).expect("a recorded game");
    let rows = rows_of_games::<Square8>(setup, &[source()], Making { trees: true, ..PLAIN }).expect("a recorded game");
    assert!(expected.len() > 20 && without.tree_moves.iter().all(|moves| *moves == 0));
    assert_eq!(rows.len(), without.len() + expected.len());
    let (mut state_at, mut expected, mut plain) = (0, expected.into_iter(), 0);
    for row in 0..rows.len() {
        let state = &rows.states[state_at..][..rows.state_lengths[row] as usize];
        state_at += state.len();
        if rows.tree_moves[row] == 0 {
            assert_eq!(rows.decisions[row], without.decisions[plain]);
            assert_eq!(rows.outcomes[2 * row], without.outcomes[2 * plain]);
            plain += 1;
            continue;
        }
        let (decision, tree_moves, bytes, value) = expected.next().expect("as many rows as stored positions");
        assert_eq!((rows.decisions[row], rows.tree_moves[row], state), (decision, tree_moves, &*bytes));
        assert_eq!((rows.values[2 * row].to_f32(), rows.legal[row]), (value, 0));
        assert_eq!(rows.outcomes[2 * row..][..2], rows.values[2 * row..][..2]);
    }
}

#[test]
fn symmetries_are_not_used_in_the_deployed_profile() {
    let setup = Setup::new(Board::Square8, 2, Profile::Deployed).expect("2 players");
    let making = Making { symmetries: 8, ..PLAIN };
    let rows = rows::<Square8>(setup, play::<Square8>(setup, 1, false), making);
    assert!(rows.symmetries.iter().all(|symmetry| *symmetry == 0));
    assert_eq!(rows.decisions, (0..rows.len() as u32).collect::<Vec<_>>());
}

/// One slide completes two runs of the same length: which of them counts depends on the order of axes. Random games do
/// not meet it.
#[test]
fn positions_of_note_d12_are_taken_as_they_are() {
    let setup = Setup::new(Board::Square8, 3, Profile::Canonical).expect("3 players");
    let with_marker = |cell: &str| {
        let mut markers = serde_json::Map::new();
        ["1,3", "2,3", "3,1", "4,4"]
            .into_iter()
            .chain([cell])
            .for_each(|cell| drop(markers.insert(cell.into(), 1.into())));
        let state = serde_json::json!({
            "p": 1, "ph": "movement", "stk": {"7,7": "12"}, "mk": markers, "col": {}, "hand": [0, 0, 0],
            "elim": [18, 17, 17], "terr": [0, 0, 0],
        });
        State::<Square8>::from_json(setup, &state).expect("a possible state")
    };
    assert!(!is_symmetric(&with_marker("3,2")));
    assert!(is_symmetric(&with_marker("3,7")));
}

#[test]
fn drawn_decisions_are_ascending_and_follow_from_seed_and_game() {
    let id = |digit: &str| digit.repeat(64);
    let drawn = draw_decisions(1, &id("a"), 100, 10).expect("an id");
    assert_eq!(drawn.len(), 10);
    assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]) && drawn[9] < 100);
    assert_eq!(drawn, draw_decisions(1, &id("a"), 100, 10).expect("an id"));
    assert_ne!(drawn, draw_decisions(2, &id("a"), 100, 10).expect("an id"));
    assert_ne!(drawn, draw_decisions(1, &id("b"), 100, 10).expect("an id"));
    assert_eq!(draw_decisions(1, &id("a"), 5, 10).expect("an id"), [0, 1, 2, 3, 4]);
    let mut hits = [0; 20];
    for seed in 0..4000 {
        draw_decisions(seed, &id("c"), 20, 5).expect("an id").into_iter().for_each(|decision| hits[decision] += 1);
    }
    assert!(hits.iter().all(|hits| (850..1150).contains(hits)), "{hits:?}");
}

#[test]
fn faults_name_the_game_and_the_place() {
    let setup = two_players(Board::Hex8);
    let fault = |change: &dyn Fn(&mut Source)| {
        let mut source = play::<Hex8>(setup, 1, false).source;
        change(&mut source);
        let error = rows_of_games::<Hex8>(setup, &[source], PLAIN).map(drop).expect_err("a fault");
        error.to_string()
    };
    let expect = |found: String, wanted: &str| assert!(found.contains(wanted), "{found}");
    expect(fault(&|source| source.moves.truncate(4)), "move 1: the bytes end in the middle of it");
    expect(fault(&|source| source.moves[0] = 255), "move 0: 255 is no kind of move");
    expect(fault(&|source| drop(source.moves.drain(0..3))), "move 0");
    expect(fault(&|source| source.decisions = Some(vec![100_000])), "decisions: 100000");
    expect(fault(&|source| source.decisions = Some(vec![3, 3])), "decisions: 3: expected ascending");
    expect(fault(&|source| source.searches.truncate(9)), "searches, byte");
    expect(fault(&|source| source.searches[0] = 1), "is not legal");
    expect(fault(&|source| source.id = "xyz".into()), "id: \"xyz\"");
    expect(fault(&|source| source.searches.extend_from_within(..)), "in the order of decisions");
    assert!(fault(&|source| source.moves.truncate(4)).starts_with("game "), "the game is named");
}
