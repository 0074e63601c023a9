//! One value whatever it is reached from and by whatever instructions; files that are no networks are refused.

use std::collections::HashSet;

use super::inputs::{buckets, inputs_of_seat, TURN_INPUTS};
use super::parameters::{width, Parameters, MOST_WEIGHT};
use super::{Desk, Kernel, Nnue};
use crate::bench::configurations;
use crate::board::{Board, Geometry};
use crate::moves::MoveList;
use crate::players::judge::Judge;
use crate::players::tensors::tests::{file, Tensor};
use crate::players::tensors::Configuration;
use crate::players::values::Values;
use crate::playout::Random;
use crate::rng::{stream, Purpose};
use crate::setup::{Profile, Setup};
use crate::state::State;
use crate::with_geometry;

fn numbers(random: &mut Random, count: usize, most: i16) -> Vec<u8> {
    let number = |_| random.below(2 * most as usize + 1) as i16 - most;
    (0..count).map(number).flat_map(i16::to_le_bytes).collect()
}

/// Rows large enough that some accumulators are clipped at either end, and some wrap around.
fn tensors(board: Board, players: usize) -> Vec<Tensor> {
    let mut random = stream(3, Purpose::Playout, players as u64);
    let (inputs, width, buckets) = (inputs_of_seat(board, players), width(players), buckets(players));
    // Squares, since what all seats have alike cancels out.
    let bias = |place: i32| (place * place * 7_001 - 300_000).to_le_bytes();
    let biases = |count: usize| (0..count as i32).flat_map(bias).collect();
    vec![
        ("rows", "I16", vec![inputs, players, width], numbers(&mut random, inputs * players * width, 900)),
        ("bias", "I16", vec![width], numbers(&mut random, width, 300)),
        ("heads", "I16", vec![buckets, 2, width], numbers(&mut random, buckets * 2 * width, MOST_WEIGHT)),
        ("head_bias", "I32", vec![buckets], biases(buckets)),
        ("turn", "I32", vec![players, TURN_INPUTS], biases(players * TURN_INPUTS)),
    ]
}

fn network(board: Board, players: usize) -> Nnue {
    let content = file("nnue", Configuration { board, players }, &tensors(board, players));
    Nnue::new(Parameters::read(&content).expect("a network"))
}

/// Every position of a random game, and now and then another one that is close to it.
fn walk<G: Geometry>(setup: Setup, game: u64, mut visit: impl FnMut(&State<G>, usize, bool)) {
    let mut random = stream(17, Purpose::Playout, game);
    let (mut state, mut list) = (State::<G>::new(setup), MoveList::new());
    loop {
        state.legal_moves(&mut list);
        if list.is_empty() {
            return;
        }
        let (ply, store) = (random.below(4), random.below(2) == 0);
        visit(&state, ply, store);
        // A copy goes another way and is dropped, as a search does it.
        let mut copy = state;
        copy.apply(list[random.below(list.len())]);
        if copy.outcome().is_none() {
            visit(&copy, random.below(6), random.below(6) == 0);
        }
        state.apply(list[random.below(list.len())]);
    }
}

fn refreshed<G: Geometry>(judge: &Nnue, state: &State<G>) -> Values {
    judge.estimate(state, 0, &mut Desk::default())
}

/// Every position of these games by every kernel of this CPU, from whatever lies on its desk, and anew by the portable
/// one: how many were compared.
fn compare<G: Geometry>(setup: Setup, games: std::ops::Range<u64>) -> u64 {
    let judge = network(setup.board(), setup.players());
    let portable = judge.by(Kernel::Portable).expect("everywhere");
    let by_kernel = Kernel::available().into_iter().filter_map(|kernel| judge.by(kernel));
    let (mut desks, mut compared) = (by_kernel.map(|judge| (judge, Desk::<G>::default())).collect::<Vec<_>>(), 0);
    for game in games {
        // A desk goes on to the next game: what lies on it is a base for any position.
        walk::<G>(setup, game, |state, ply, store| {
            let expected = refreshed(&portable, state).map(f32::to_bits);
            for (judge, desk) in &mut desks {
                let found = judge.estimate(state, ply, desk).map(f32::to_bits);
                assert_eq!(found, expected, "{:?}, {setup:?}, game {game}", judge.kernel());
                if store {
                    judge.approach(state, ply, desk);
                }
            }
            compared += 1;
        });
    }
    compared
}

#[test]
fn a_position_is_worth_the_same_from_every_base_by_every_kernel_on_all_boards_for_all_seats() {
    for (board, players) in configurations() {
        for profile in [Profile::Canonical, Profile::Deployed] {
            let setup = Setup::new(board, players, profile).expect("playable").with_swap(players == 2);
            let compared = with_geometry!(board, G => compare::<G>(setup, 0..3));
            assert!(compared > 200, "{board:?} {players}: {compared}");
        }
    }
}

/// `cargo test --release -- --ignored ten_thousand`.
#[test]
#[ignore = "minutes"]
fn a_position_is_worth_the_same_from_every_base_by_every_kernel_in_ten_thousand_games() {
    let mut all = 0;
    for (board, players) in configurations() {
        let setup = Setup::new(board, players, Profile::Canonical).expect("playable").with_swap(players == 2);
        all += with_geometry!(board, G => compare::<G>(setup, 100..934));
    }
    println!("{all} positions by {:?}", Kernel::available());
}

#[test]
fn values_cancel_out_and_tell_positions_apart() {
    let setup = Setup::new(Board::Hex8, 3, Profile::Canonical).expect("playable");
    let judge = network(Board::Hex8, 3);
    let (mut seen, mut positions) = (HashSet::new(), HashSet::new());
    walk::<crate::board::Hex8>(setup, 5, |state, _, _| {
        let values = refreshed(&judge, state);
        let most = values.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
        assert!(values.iter().sum::<f32>().abs() <= 1e-5 * most.max(1.0), "{values:?}");
        assert_eq!(values[3], 0.0);
        seen.insert(values.map(f32::to_bits));
        positions.insert(state.search_key()); // The only move there is leads the copy to where the game goes on.
    });
    assert!(seen.len() * 10 > positions.len() * 9, "{} of {}", seen.len(), positions.len());
}

#[test]
fn a_file_that_is_no_network_says_where_and_why() {
    let here = Configuration { board: Board::Square8, players: 2 };
    let own = || tensors(here.board, here.players);
    let refusal = |content: &[u8]| Parameters::read(content).err().map(|error| error.to_string());
    let whole = file("nnue", here, &own());
    assert_eq!(refusal(&whole), None);
    let cut = refusal(&whole[..whole.len() - 1]);
    assert_eq!(cut.as_deref(), Some("turn: its 112 bytes are not where the header says"));
    let other = refusal(&file("mlp", here, &own()));
    assert_eq!(other.as_deref(), Some("__metadata__.kind: \"mlp\", this engine reads \"nnue\""));
    let mut narrow = own();
    narrow[1].2 = vec![32];
    let found = refusal(&file("nnue", here, &narrow));
    assert_eq!(found.as_deref(), Some("bias: \"I16\" [32], expected \"I16\" [64]"));
    let mut heavy = own();
    heavy[2].3[..2].copy_from_slice(&128i16.to_le_bytes());
    let found = refusal(&file("nnue", here, &heavy));
    assert_eq!(found.as_deref(), Some("heads: 128: expected -127 to 127"));
}

#[test]
fn a_network_of_one_configuration_refuses_games_of_another() {
    let judge = network(Board::Square8, 2);
    let setup = |board, players| Setup::new(board, players, Profile::Canonical).expect("playable");
    assert!(judge.configuration().check(&setup(Board::Square8, 2).with_swap(true)).is_ok());
    let error = judge.configuration().check(&setup(Board::Square8, 3)).expect_err("other games").to_string();
    assert_eq!(error, "judge: a network for square8-2p, and the game is square8-3p");
}
