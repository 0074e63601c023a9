//! Records of rows, batches of them seen through symmetries, and what came of the games.

use half::f16;

use super::rows::{play, PLAIN};
use crate::board::{Board, Geometry, Hex8, Square8};
use crate::encoding::batches::{Columns, Records};
use crate::encoding::exact;
use crate::encoding::frame::Frame;
use crate::encoding::policy::keys;
use crate::encoding::rows::{rows_of_games, Rows, Source};
use crate::encoding::{encode, Shape};
use crate::moves::{MoveKind, MoveList};
use crate::records::packed;
use crate::records::replay::replay;
use crate::setup::{Profile, Setup};
use crate::state::{Reason, State};
use crate::symmetry::Symmetry;
use crate::with_state;

fn columns(rows: &Rows) -> Columns<'_> {
    Columns {
        planes: &rows.planes,
        globals: &rows.globals,
        outcomes: &rows.outcomes,
        values: &rows.values,
        eliminations: &rows.eliminations,
        territories: &rows.territories,
        owners: &rows.owners,
        reasons: &rows.reasons,
        turns_left: &rows.turns_left,
        unsearched: &rows.unsearched,
        symmetric: &rows.symmetric,
        legal: &rows.legal,
        shares: &rows.shares,
        key_counts: &rows.key_counts,
        keys: &rows.keys,
    }
}

fn records(board: Board, players: usize, rows: &Rows) -> Vec<Vec<u8>> {
    let (bytes, lengths) = Records::of(board, players).pack(&columns(rows)).expect("columns that fit");
    let mut left = &bytes[..];
    let cut = |length: &u32| {
        let (record, rest) = left.split_at(*length as usize);
        left = rest;
        record.to_vec()
    };
    let found = lengths.iter().map(cut).collect();
    assert!(left.is_empty());
    found
}

/// What a batch holds of a row is what the encoding says of the mapped position, and each move keeps its share.
fn is_the_mapped_position<G: Geometry>(players: usize, seed: u64) {
    let board = G::BOARD;
    let setup = Setup::new(board, players, Profile::Canonical).expect("playable").with_swap(players == 2);
    let played = play::<G>(setup, seed, seed.is_multiple_of(2));
    let rows = rows_of_games::<G>(setup, &[played.source], PLAIN).expect("a recorded game");
    let records = records(board, players, &rows);
    let (shape, mut state_at, mut turned) = (Shape::of(board, players), 0, 0);
    for (row, record) in records.iter().enumerate() {
        let bytes = &rows.states[state_at..][..rows.state_lengths[row] as usize];
        state_at += bytes.len();
        let game = exact::from_bytes(bytes).expect("an exact state");
        for (index, symmetry) in Symmetry::all(board).into_iter().enumerate() {
            let batch = Records::of(board, players).unpack(&[record], &[index as u8]).expect("a record");
            let symmetry = if rows.symmetric[row] == 1 { symmetry } else { Symmetry::all(board)[0] };
            turned += usize::from(symmetry != Symmetry::all(board)[0]);
            with_state!(&game, state => {
                let (mut planes, mut globals) = (vec![0.0; shape.plane_len()], vec![0.0; shape.globals]);
                let mapped = state.mapped(symmetry);
                encode(&mapped, &mut planes, &mut globals);
                assert_eq!(batch.planes, planes);
                assert_eq!(batch.globals, globals);
                let mut list = MoveList::new();
                state.legal_moves(&mut list);
                let first: usize = rows.legal[..row].iter().map(|legal| *legal as usize).sum();
                assert_eq!(batch.moves, if rows.legal[row] > 0 { list.len() } else { 0 });
                for (place, one) in list[..batch.moves].iter().enumerate() {
                    let wanted = keys(&mapped, state.map_move(symmetry, *one), Frame::identity(board));
                    let named = &batch.keys[place * batch.most_keys..][..batch.most_keys];
                    let mut named: Vec<i64> =
                        named.iter().copied().filter(|key| *key < shape.policy as i64).collect();
                    named.sort_unstable();
                    assert_eq!(named, wanted.iter().map(|key| i64::from(*key)).collect::<Vec<_>>());
                    assert_eq!(batch.shares[place], rows.shares[first + place].to_f32());
                    assert!(batch.legal[place]);
                }
            });
        }
    }
    assert!(turned > records.len());
}

#[test]
fn a_row_seen_through_a_symmetry_is_the_mapped_position() {
    for players in 2..=4 {
        is_the_mapped_position::<Square8>(players, 2 + players as u64);
        is_the_mapped_position::<Hex8>(players, 2 + players as u64);
    }
}

#[test]
fn a_batch_holds_rows_in_the_order_asked_for_each_padded_to_the_longest() {
    let setup = Setup::new(Board::Hex8, 3, Profile::Canonical).expect("3 players");
    let rows = rows_of_games::<Hex8>(setup, &[play::<Hex8>(setup, 4, false).source], PLAIN).expect("a game");
    let all = records(Board::Hex8, 3, &rows);
    let chosen = [7, 0, 3, 3];
    let together: Vec<&[u8]> = chosen.iter().map(|row| &all[*row][..]).collect();
    let reader = Records::of(Board::Hex8, 3);
    let batch = reader.unpack(&together, &[1, 2, 0, 5]).expect("records");
    let none = Shape::of(Board::Hex8, 3).policy as i64;
    for (place, (row, symmetry)) in chosen.iter().zip([1, 2, 0, 5]).enumerate() {
        let alone = reader.unpack(&[&all[*row]], &[symmetry]).expect("a record");
        let length = alone.planes.len();
        assert_eq!(batch.planes[place * length..][..length], alone.planes);
        assert_eq!(batch.outcomes[place * 3..][..3], alone.outcomes);
        assert_eq!((batch.reasons[place], batch.turns_left[place]), (alone.reasons[0], alone.turns_left[0]));
        for index in 0..batch.moves {
            let at = place * batch.moves + index;
            assert_eq!(batch.legal[at], index < alone.moves);
            let named = batch.keys[at * batch.most_keys..][..batch.most_keys].iter().filter(|key| **key != none);
            let expected = alone.keys.chunks_exact(alone.most_keys.max(1)).nth(index).unwrap_or(&[]);
            assert!(named.eq(expected.iter().filter(|key| **key != none)));
        }
    }
    assert!(batch.moves > 0);
    let fault = |records: &[&[u8]], symmetries: &[u8]| {
        reader.unpack(records, symmetries).map(drop).expect_err("a fault").to_string()
    };
    assert!(fault(&[&all[0][..20]], &[0]).contains("cut short"));
    assert!(fault(&[&all[0]], &[12]).contains("hex8 has 12"));
    let mut broken = columns(&rows);
    broken.shares = &broken.shares[1..];
    assert!(reader.pack(&broken).map(drop).expect_err("a fault").to_string().contains("shares"));
}

/// Final rings, territory and owners belong to the agent that sits at a seat now, as outcomes do.
fn ends_follow_agents<G: Geometry>(players: usize, swap: bool) {
    let (mut reasons, mut owned) = ([0; Reason::ALL.len() + 1], 0);
    for seed in 0..12 {
        let setup = Setup::new(G::BOARD, players, Profile::Canonical).expect("playable").with_swap(players == 2);
        let played = play::<G>(setup, seed, swap);
        let end = end_of::<G>(setup, &played.source);
        let rows = rows_of_games::<G>(setup, &[played.source], PLAIN).expect("a recorded game");
        let decisions = *rows.decisions.last().expect("decisions") + 1;
        let records = records(G::BOARD, players, &rows);
        for (row, record) in records.iter().enumerate() {
            let batch = Records::of(G::BOARD, players).unpack(&[record], &[0]).expect("a record");
            let before = played.swapped_at.is_some_and(|swapped| rows.decisions[row] as usize <= swapped);
            for offset in 0..players {
                let seat = (rows.seats[row] as usize - 1 + offset) % players;
                let seat = if before && seat < 2 { 1 - seat } else { seat };
                let least = G::BOARD.territory_minimum(players) as f32;
                let share = f16::from_f32(end.territory[seat] as f32 / least).to_f32();
                assert_eq!(batch.territories[offset], share);
                assert_eq!(batch.outcomes[offset], f32::from(played.winner == seat));
                let target = G::BOARD.elimination_target(players) as f32;
                assert_eq!(batch.eliminations[offset], f16::from_f32(end.credited[seat] as f32 / target).to_f32());
                let area = batch.owners.len() / players;
                let cells = batch.owners[offset * area..][..area].iter().sum::<f32>();
                assert_eq!(cells, end.territory[seat] as f32);
                owned += cells as usize;
            }
            reasons[batch.reasons[0] as usize] += 1;
            // A search stands at every second decision.
            let (from, to) = (rows.decisions[row], decisions);
            assert_eq!(batch.unsearched[0] as u32, (from..to).filter(|decision| decision % 2 == 1).count() as u32);
        }
        assert!(rows.turns_left.windows(2).all(|pair| pair[0] >= pair[1]));
        assert_eq!(rows.turns_left[0] as u32, end.turn.number - 1);
    }
    assert_eq!(reasons[0], 0, "no game was cut");
    assert!(reasons.iter().filter(|count| **count > 0).count() > 1 && owned > 0);
}

fn end_of<G: Geometry>(setup: Setup, source: &Source) -> State<G> {
    let moves = packed::from_bytes(&source.moves).expect("moves");
    assert!(moves.iter().all(|one| one.kind() != MoveKind::SwapSides) || setup.players() == 2);
    replay::<G>(setup, &moves, |_, _, _| {}).expect("a legal game").state
}

#[test]
fn what_came_of_a_game_follows_agents_with_two_to_four_seats() {
    ends_follow_agents::<Square8>(2, true);
    ends_follow_agents::<Square8>(2, false);
    ends_follow_agents::<Hex8>(3, false);
    ends_follow_agents::<Square8>(4, false);
}

/// A label that is on the board: whose territory the first cell was already collapsed into stays so.
#[test]
fn cells_that_have_collapsed_keep_their_owner_to_the_end() {
    let setup = Setup::new(Board::Square8, 2, Profile::Canonical).expect("2 players").with_swap(true);
    let mut seen = 0;
    for seed in 0..12 {
        let rows =
            rows_of_games::<Square8>(setup, &[play::<Square8>(setup, seed, true).source], PLAIN).expect("a game");
        let records = records(Board::Square8, 2, &rows);
        for (row, record) in records.iter().enumerate() {
            let symmetry = (row % 8) as u8;
            let batch = Records::of(Board::Square8, 2).unpack(&[record], &[symmetry]).expect("a record");
            for offset in 0..2 {
                let collapsed = &batch.planes[(offset * 7 + 6) * 64..][..64];
                let owners = &batch.owners[offset * 64..][..64];
                for (now, then) in collapsed.iter().zip(owners) {
                    assert!(now <= then);
                    seen += (*now > 0.0) as usize;
                }
            }
        }
    }
    assert!(seen > 100);
}
