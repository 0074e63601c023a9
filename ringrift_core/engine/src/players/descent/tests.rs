//! Known answers.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::*;
use crate::board::{Board, Hex8};
use crate::moves::MoveKind;
use crate::players::features::FEATURES;
use crate::players::judge::{Judge, Sight};
use crate::players::known_answers::{after, decisions_of_random_game, forced_wins, legal, solve};
use crate::players::linear::Linear;
use crate::players::values::{seat_after, Values};
use crate::players::{Choice, Found};
use crate::playout::Random;
use crate::setup::{Profile, Setup};
use crate::state::State;

fn setup(players: usize) -> Setup {
    Setup::new(Board::Hex8, players, Profile::Canonical).expect("playable")
}

fn settings(nodes: u64) -> Settings {
    Settings { budget: Budget::of_nodes(nodes), growth: Growth::OnePosition, exploration: 0.0, inner: 0 }
}

fn baseline() -> Linear {
    Linear::of_setting("baseline").expect("documented")
}

fn choose(state: &State<Hex8>, judge: &Linear, settings: &Settings) -> (Choice, Found) {
    let never = AtomicBool::new(false);
    let choice = Search::default().choose(state, &legal(state), judge, settings, &mut Random::new(1), &never);
    let found = choice.found.clone().expect("searched");
    (choice, found)
}

/// Solved positions with a full budget, by both ways of growing: the value is one that best play can give.
fn agrees_with_brute_force(players: usize, games: u64, least: usize) {
    let judge = baseline();
    let mut solved = 0;
    for game in 0..games {
        for state in decisions_of_random_game::<Hex8>(setup(players), game).iter().take(12) {
            let Some(exact) = solve(state, &mut 3000) else { break };
            let exact: Vec<_> =
                exact.iter().map(|values| judge.calibration(&state.setup).probabilities(values, players)).collect();
            for growth in [Growth::OnePosition, Growth::ToTheEnd] {
                let (choice, found) = choose(state, &judge, &Settings { growth, ..settings(1_000_000) });
                assert!(exact.contains(&found.values), "game {game}: {:?} is not among {exact:?}", found.values);
                // And the chosen move keeps what the mover can be sure of.
                let one = legal(state)[choice.index];
                let kept = solve(&after(state, one), &mut 3000).expect("smaller");
                let mover = seat_after(state, one);
                let chance = |values: &Values| judge.calibration(&state.setup).probabilities(values, players)[mover];
                assert!(kept.iter().any(|values| chance(values) == found.values[state.mover()]), "game {game}");
            }
            solved += 1;
        }
    }
    assert!(solved >= least, "only {solved} positions were small enough to check");
}

#[test]
fn a_full_budget_agrees_with_brute_force_for_two() {
    agrees_with_brute_force(2, 1500, 2000);
}

#[test]
fn a_full_budget_agrees_with_brute_force_for_three() {
    agrees_with_brute_force(3, 800, 1000);
}

#[test]
fn forced_wins_are_proven() {
    let judge = baseline();
    for players in [2, 3] {
        for (turns, count) in [(1, 30), (2, 15), (3, 15), (4, 5), (5, 5)] {
            let wins = forced_wins::<Hex8>(setup(players), turns, count);
            assert_eq!(wins.len(), count);
            for state in wins {
                let (choice, found) = choose(&state, &judge, &settings(60_000));
                assert_eq!(found.values[state.mover()], 1.0, "{players} players, {turns} turns");
                let highest = found.policy.iter().copied().fold(0.0, f32::max);
                assert_eq!(found.policy[choice.index], highest);
                // What is proven is not searched any further.
                assert!(turns > 1 || found.nodes < 5_000, "{} nodes", found.nodes);
            }
        }
    }
}

#[test]
fn a_swap_is_worth_the_other_seat() {
    // Only markers count: seat 1 has one, and nothing that seat 2 may do at once changes that.
    let judge = Linear { weights: FEATURES.map(|(name, _)| (name == "markers") as u8 as f32) };
    let mut state = State::<Hex8>::new(setup(2).with_swap(true));
    for text in ["place_ring 0,0 n=3", "move_stack 0,0>0,3", "no_line_action", "no_territory_action"] {
        state.play(state.parse_move(text).expect("notation")).expect("legal");
    }
    let moves = legal(&state);
    let swap = moves.iter().position(|one| one.kind() == MoveKind::SwapSides).expect("on offer");
    let (choice, found) = choose(&state, &judge, &settings(1));
    let at_once = Sight::of(&judge).values(&state, 0);
    assert_eq!(choice.index, swap);
    assert_eq!(found.values, judge.calibration(&state.setup).probabilities(&[at_once[1], at_once[0], 0.0, 0.0], 2));
    // Below the swap lies the same position without the offer: the chooser then hopes for seat 1, and the other agent,
    // now at seat 2, has but the lesser moves.
    let (choice, looked_into) = choose(&state, &judge, &settings(moves.len() as u64 + 1));
    assert_eq!(choice.index, swap);
    assert!(looked_into.values[1] > 0.5);
}

#[test]
fn budgets_of_nodes_are_kept_but_for_the_last_expansion() {
    let judge = baseline();
    for players in [2, 4] {
        let state = State::<Hex8>::new(setup(players));
        let moves = legal(&state).len() as u64;
        assert_eq!(choose(&state, &judge, &settings(1)).1.nodes, moves);
        let nodes = choose(&state, &judge, &settings(5000)).1.nodes;
        assert!((5000..5000 + 400).contains(&nodes), "{nodes}");
    }
}

#[test]
fn a_search_that_is_stopped_returns_its_best_so_far() {
    let judge = baseline();
    let state = State::<Hex8>::new(setup(2));
    let unbounded = Settings { budget: Budget::default(), ..settings(0) };
    let stopped = AtomicBool::new(false);
    let choice = std::thread::scope(|scope| {
        let mut search = Search::default();
        let stopped = &stopped;
        let searching = scope
            .spawn(move || search.choose(&state, &legal(&state), &judge, &unbounded, &mut Random::new(1), stopped));
        std::thread::sleep(Duration::from_millis(50));
        stopped.store(true, std::sync::atomic::Ordering::Relaxed);
        searching.join().expect("no panic")
    });
    let found = choice.found.expect("searched");
    assert!(choice.index < legal(&state).len() && found.nodes >= legal(&state).len() as u64);
}

#[test]
fn inner_positions_can_be_replayed_and_carry_their_values() {
    let judge = baseline();
    for state in decisions_of_random_game::<Hex8>(setup(3), 5).iter().step_by(9) {
        let (_, found) = choose(state, &judge, &Settings { inner: 20, ..settings(3000) });
        for inner in &found.inner {
            let mut reached = *state;
            inner.moves.iter().for_each(|one| reached.play(*one).expect("legal"));
            assert!(legal(&reached).len() > 1 || reached.outcome().is_some());
            assert!((inner.values.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        }
        let solved = found.values.contains(&1.0);
        assert!(solved || found.inner.len() == 20, "{} positions", found.inner.len());
    }
}
