//! Known answers, for both variants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;
use crate::board::{Board, Hex8};
use crate::moves::{Move, MoveKind, MoveList};
use crate::players::judge::Sight;
use crate::players::known_answers::{after, decisions_of_random_game, forced_wins, legal, solve};
use crate::players::linear::Linear;
use crate::players::mcts::tree::{Proof, Tree};
use crate::players::values::{certain, seat_after, Values};
use crate::players::{play_forced, Choice, Found};
use crate::playout::Random;
use crate::rng::{stream, Purpose};
use crate::setup::{Profile, Setup};
use crate::state::State;

const VARIANTS: [Variant; 2] = [Variant::Puct, Variant::Gumbel { considered: 16 }];

fn setup(players: usize) -> Setup {
    Setup::new(Board::Hex8, players, Profile::Canonical).expect("playable")
}

fn settings(variant: Variant, simulations: u64) -> Settings {
    Settings { variant, budget: Budget::of_simulations(simulations), noise: 0.0, fast: None }
}

fn judge() -> Linear {
    Linear::of_setting("baseline").expect("documented")
}

/// What `search` decides, by the heuristic.
fn decide(
    search: &mut Search<Hex8>,
    state: &State<Hex8>,
    settings: Settings,
    random: &mut Random,
    stopped: &AtomicBool,
) -> Choice {
    search.begin(state, &legal(state), settings, random);
    assert!(search.advance(&mut Sight::of(&judge()), stopped).is_none(), "the heuristic need not be asked");
    search.choice()
}

fn choose(state: &State<Hex8>, settings: Settings) -> (Choice, Found) {
    let choice = decide(&mut Search::default(), state, settings, &mut Random::new(1), &AtomicBool::new(false));
    let found = choice.found.clone().expect("searched");
    (choice, found)
}

/// Says the same of every leaf, wherever its seats are, once it is asked.
struct Always;

impl LeafJudge<Hex8> for Always {
    fn evaluate(&mut self, _: &State<Hex8>, _: &[Move], _: &mut MoveList) -> Option<Evaluation> {
        None
    }
}

/// A search in which every leaf has the same value.
fn choose_by(state: &State<Hex8>, settings: Settings, values: Values) -> (Choice, Found) {
    let mut search = Search::default();
    let never = AtomicBool::new(false);
    search.begin(state, &legal(state), settings, &mut Random::new(1));
    while search.advance(&mut Always, &never).is_some() {
        search.receive(Evaluation { values, prior: Prior::Uniform, winning: None, nodes: 0 });
    }
    let choice = search.choice();
    let found = choice.found.clone().expect("searched");
    (choice, found)
}

#[test]
fn findings_are_distributions_and_repeat() {
    for (players, variant) in [(2, VARIANTS[0]), (3, VARIANTS[1]), (4, VARIANTS[0])] {
        let settings = Settings { noise: 0.25, ..settings(variant, 24) };
        let play = |seed: u64| {
            let mut random = stream(seed, Purpose::Playout, players as u64);
            let (mut search, mut state, mut list) =
                (Search::default(), State::<Hex8>::new(setup(players)), MoveList::new());
            let mut moves = Vec::new();
            for _ in 0..12 {
                play_forced(&mut state, &mut list);
                let choice = decide(&mut search, &state, settings, &mut random, &AtomicBool::new(false));
                let found = choice.found.expect("searched");
                assert_eq!(found.policy.len(), list.len());
                assert!((found.policy.iter().sum::<f32>() - 1.0).abs() < 1e-4);
                assert!((found.values.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{:?}", found.values);
                search.decided(list[choice.index]);
                moves.push(list[choice.index]);
                state.apply(list[choice.index]);
            }
            moves
        };
        assert_eq!(play(3), play(3));
        assert_ne!(play(3), play(4));
    }
}

#[test]
fn a_share_of_the_decisions_is_made_fast_and_tells_no_policy() {
    let settings = Settings { fast: Some(Fast { share: 0.75, simulations: 4 }), ..settings(VARIANTS[1], 24) };
    let state = State::<Hex8>::new(setup(2));
    let (mut fast, mut deep) = (Vec::new(), Vec::new());
    for seed in 0..200 {
        let (mut random, mut search) = (stream(seed, Purpose::Playout, 0), Search::default());
        let choice = decide(&mut search, &state, settings, &mut random, &AtomicBool::new(false));
        let found = choice.found.expect("searched");
        assert!((found.values.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{:?}", found.values);
        if found.policy.is_empty() { &mut fast } else { &mut deep }.push(found.nodes);
    }
    assert!((120..180).contains(&fast.len()), "{} of 200", fast.len());
    assert!(fast.iter().max() < deep.iter().min(), "{fast:?}, {deep:?}");
}

#[test]
fn enough_simulations_converge_to_the_best_move() {
    for players in [2, 3] {
        let mut checked = 0;
        for game in 0..250 {
            for state in decisions_of_random_game::<Hex8>(setup(players), game).iter().take(8) {
                let Some(exact) = solve(state, &mut 1000) else { break };
                let chance = |values: &Values, seat: usize| certain(values)[seat];
                for variant in VARIANTS {
                    let (choice, found) = choose(state, settings(variant, 3000));
                    let one = legal(state)[choice.index];
                    let kept = solve(&after(state, one), &mut 1000).expect("smaller");
                    let mover = seat_after(state, one);
                    let best = kept.iter().map(|values| chance(values, mover)).fold(0.0, f32::max);
                    let sure = exact.iter().map(|values| chance(values, state.mover())).fold(1.0, f32::min);
                    assert!(best >= sure, "game {game}, {variant:?}: {best} instead of {sure}");
                    let value = found.values[state.mover()];
                    let possible = exact.iter().any(|values| (chance(values, state.mover()) - value).abs() < 0.1);
                    assert!(possible, "game {game}, {variant:?}: {value}, but {exact:?}");
                }
                checked += 1;
            }
        }
        assert!(checked >= 300, "only {checked} positions were small enough to check");
    }
}

#[test]
fn forced_wins_are_found() {
    for players in [2, 3] {
        for (turns, count) in [(1, 30), (2, 15), (3, 15), (4, 5), (5, 5)] {
            let wins = forced_wins::<Hex8>(setup(players), turns, count);
            assert_eq!(wins.len(), count);
            for (variant, state) in
                VARIANTS.into_iter().flat_map(|variant| wins.iter().map(move |state| (variant, state)))
            {
                let (choice, found) = choose(state, settings(variant, 10_000));
                assert_eq!(found.values[state.mover()], 1.0, "{players} players, {turns} turns, {variant:?}");
                assert_eq!(found.policy[choice.index], 1.0);
            }
        }
    }
}

#[test]
fn values_belong_to_their_seats() {
    let shares = [0.1, 0.2, 0.3, 0.4];
    for players in [3, 4] {
        let mut values = shares;
        values[players..].fill(0.0);
        for variant in VARIANTS {
            for state in decisions_of_random_game::<Hex8>(setup(players), 7).iter().skip(30).step_by(10) {
                let (_, found) = choose_by(state, settings(variant, 60), values);
                let close = found.values.iter().zip(values).all(|(found, value)| (found - value).abs() < 1e-4);
                assert!(close || found.values.contains(&1.0), "{:?} of {values:?}", found.values);
            }
        }
    }
}

/// Seat 2 may take over seat 1.
fn swap_offered() -> State<Hex8> {
    let mut state = State::<Hex8>::new(setup(2).with_swap(true));
    for text in ["place_ring 0,0 n=3", "move_stack 0,0>0,3", "no_line_action", "no_territory_action"] {
        state.play(state.parse_move(text).expect("notation")).expect("legal");
    }
    state
}

/// A win proven for seat 1 is one of whoever swaps; one for seat 2 is the other agent's, and proves nothing.
#[test]
fn a_proof_passes_a_swap_with_its_seats_exchanged() {
    let state = swap_offered();
    let moves = legal(&state);
    let swap = moves.iter().position(|one| one.kind() == MoveKind::SwapSides).expect("offered");
    for (values, proven) in [([1.0, 0.0, 0.0, 0.0], Some([0.0, 1.0, 0.0, 0.0])), ([0.0, 1.0, 0.0, 0.0], None)] {
        let mut tree = Tree::new(state, &moves);
        let leaf = tree.grow(0, swap, &mut MoveList::new());
        tree.nodes[leaf].proof = Some(Proof { values, edge: None });
        tree.back_up(&[(0, swap)], leaf, values);
        assert_eq!(tree.nodes[0].proof.map(|proof| proof.values), proven);
    }
}

#[test]
fn a_swap_is_worth_the_other_seat() {
    let state = swap_offered();
    let moves = legal(&state);
    for variant in [Variant::Puct, Variant::Gumbel { considered: moves.len() }] {
        // Whoever sits at seat 1 wins for certain: seat 2 takes it, and keeps off the swap where that seat loses.
        let (choice, found) = choose_by(&state, settings(variant, 600), [0.9, 0.1, 0.0, 0.0]);
        assert_eq!(moves[choice.index].kind(), MoveKind::SwapSides);
        let likely = found.policy.iter().all(|share| *share <= found.policy[choice.index]);
        assert!(likely && found.values[1] > 0.25, "{:?}", found.values);
        let (choice, found) = choose_by(&state, settings(variant, 600), [0.1, 0.9, 0.0, 0.0]);
        assert_ne!(moves[choice.index].kind(), MoveKind::SwapSides);
        assert!(found.values[1] > 0.8, "{:?}", found.values);
    }
}

#[test]
fn budgets_are_kept_and_a_stop_returns_the_best_so_far() {
    let state = State::<Hex8>::new(setup(2));
    for variant in VARIANTS {
        let stopped = AtomicBool::new(false);
        let unbounded = Settings { budget: Budget::default(), ..settings(variant, 0) };
        let choice = std::thread::scope(|scope| {
            let stopped = &stopped;
            let searching =
                scope.spawn(move || decide(&mut Search::default(), &state, unbounded, &mut Random::new(1), stopped));
            std::thread::sleep(Duration::from_millis(50));
            stopped.store(true, Ordering::Relaxed);
            searching.join().expect("no panic")
        });
        let at_least = legal(&state).len() as u64;
        assert!(choice.found.expect("searched").nodes >= at_least);
        let begun = std::time::Instant::now();
        choose(
            &state,
            Settings { budget: Budget { time: Some(Duration::from_millis(20)), ..unbounded.budget }, ..unbounded },
        );
        assert!(begun.elapsed() >= Duration::from_millis(20));
        let (_, found) = choose(&state, Settings { budget: Budget::of_nodes(2000), ..unbounded });
        assert!((2000..2400).contains(&found.nodes), "{}", found.nodes);
    }
}

#[test]
fn exploration_changes_what_is_played_and_spreads_the_root() {
    let state = State::<Hex8>::new(setup(2));
    for (variant, noise) in [(VARIANTS[0], 0.9), (VARIANTS[1], 1.0)] {
        let played: std::collections::HashSet<usize> = (0..20)
            .map(|seed| {
                let (settings, never) = (Settings { noise, ..settings(variant, 16) }, AtomicBool::new(false));
                decide(&mut Search::default(), &state, settings, &mut Random::new(seed), &never).index
            })
            .collect();
        assert!(played.len() > 3, "{variant:?}: {played:?}");
    }
}
