//! The seam holds what a judge needs, in every search: one that keeps accumulators, and finds a position by its difference
//! from another one, decides as one that sums it up anew; one that counts in other units decides alike.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use crate::board::{Board, Geometry, Hex8, MAX_PLAYERS};
use crate::players::agent::Search;
use crate::players::budget::Budget;
use crate::players::calibration::Calibration;
use crate::players::choice::Choice;
use crate::players::decision::Situation;
use crate::players::descent::{self, Growth};
use crate::players::judge::Judge;
use crate::players::known_answers::{decisions_of_random_game, legal};
use crate::players::mcts;
use crate::players::memory::Memory;
use crate::players::minimax::Variant;
use crate::players::values::Values;
use crate::playout::Random;
use crate::setup::{Profile, Setup};
use crate::state::State;
use crate::Content;

/// Numbers of cells, added up by seat.
type Sums = [i32; MAX_PLAYERS];

/// Values seats by what lies where; any numbers do.
#[derive(Clone)]
struct Summed {
    by_difference: bool,
    /// What its values are multiplied by: a power of 2, so that nothing is rounded otherwise.
    unit: f32,
    estimates: Arc<AtomicU64>,
    /// Positions that were summed up cell by cell.
    refreshed: Arc<AtomicU64>,
}

impl Summed {
    fn new(by_difference: bool, unit: f32) -> Summed {
        Summed { by_difference, unit, estimates: Arc::default(), refreshed: Arc::default() }
    }
}

/// A position and its sums at each ply.
struct Bases<G: Geometry>(Vec<Option<(State<G>, Sums)>>);

impl<G: Geometry> Default for Bases<G> {
    fn default() -> Self {
        Bases(Vec::new())
    }
}

fn number(cell: usize, content: Content) -> Option<(usize, i32)> {
    let cell = cell as i32;
    match content {
        Content::Empty => None,
        Content::Marker { owner } => Some((owner, 3 + cell * 7 % 11)),
        Content::Collapsed { owner } => Some((owner, 9 + cell * 5 % 13)),
        Content::Stack { controller, height, cap } => Some((controller, 5 + cell % 5 + 3 * cap as i32 - height as i32)),
    }
}

impl Summed {
    fn sums<G: Geometry>(&self, state: &State<G>, ply: usize, bases: &Bases<G>) -> Sums {
        let near = bases.0.iter().take(ply + 1).rev().flatten().next();
        let mut sums = near.map_or([0; MAX_PLAYERS], |(_, sums)| *sums);
        if near.is_none() {
            self.refreshed.fetch_add(1, Ordering::Relaxed);
        }
        for cell in 0..G::BOARD.cells() {
            let (now, before) = (state.content(cell), near.map_or(Content::Empty, |(base, _)| base.content(cell)));
            if now != before {
                number(cell, now).into_iter().for_each(|(seat, number)| sums[seat] += number);
                number(cell, before).into_iter().for_each(|(seat, number)| sums[seat] -= number);
            }
        }
        sums
    }
}

impl Judge for Summed {
    type Desk<G: Geometry> = Bases<G>;

    fn approach<G: Geometry>(&self, state: &State<G>, ply: usize, bases: &mut Bases<G>) {
        if self.by_difference {
            let sums = self.sums(state, ply, bases);
            bases.0.resize(bases.0.len().max(ply + 1), None);
            bases.0[ply] = Some((*state, sums));
        }
    }

    fn estimate<G: Geometry>(&self, state: &State<G>, ply: usize, bases: &mut Bases<G>) -> Values {
        self.estimates.fetch_add(1, Ordering::Relaxed);
        let sums = self.sums(state, ply, bases);
        let players = state.players();
        let total: i32 = sums[..players].iter().sum();
        let mut values = [0.0; MAX_PLAYERS];
        for (value, own) in values.iter_mut().zip(sums).take(players) {
            *value = self.unit * (own * players as i32 - total) as f32 / 128.0;
        }
        values
    }

    fn calibration(&self, _: &Setup) -> Calibration {
        Calibration { scale: 2.0 * self.unit, temperature: 0.5 * self.unit }
    }

    fn leaf_calibration(&self, setup: &Setup) -> Calibration {
        let Calibration { scale, temperature } = self.calibration(setup);
        Calibration { scale: scale / 4.0, temperature: temperature / 2.0 }
    }

    fn noise_unit(&self) -> f32 {
        0.25 * self.unit
    }
}

fn searches() -> Vec<Search> {
    let budget = Budget::of_nodes(600);
    let descent = descent::Settings { budget, growth: Growth::OnePosition, exploration: 0.0, inner: 3 };
    let tree = |variant| mcts::Settings { variant, budget: Budget::of_simulations(24), noise: 0.0, fast: None };
    let mut searches = vec![
        Search::OnePly { noise: 1.0 },
        Search::Descent(descent),
        Search::Descent(descent::Settings { growth: Growth::ToTheEnd, ..descent }),
        Search::Tree(tree(mcts::Variant::Puct)),
        Search::Tree(tree(mcts::Variant::Gumbel { considered: 8 })),
    ];
    searches.extend(Variant::ALL.map(|variant| Search::Minimax { variant: Some(variant), budget, noise: 1.0 }));
    searches
}

fn decide(search: Search, judge: &Summed, state: &State<Hex8>) -> Choice {
    let (mut random, mut memory, stopped) = (Random::new(1), Memory::default(), AtomicBool::new(false));
    let legal = legal(state);
    let situation = Situation { state, legal: &legal, random: &mut random, memory: &mut memory, stopped: &stopped };
    search.decide(judge, situation)
}

fn compare(one: &Summed, other: &Summed, search: Search, players: usize) {
    let setup = Setup::new(Board::Hex8, players, Profile::Canonical).expect("playable");
    for state in decisions_of_random_game::<Hex8>(setup, players as u64).iter().step_by(11) {
        assert_eq!(decide(search, one, state), decide(search, other, state), "{players} players, {search:?}");
    }
}

#[test]
fn a_judge_by_differences_decides_as_one_that_sums_up_anew_in_every_search() {
    for (search, players) in searches().into_iter().flat_map(|search| [(search, 2), (search, 3)]) {
        let by_difference = Summed::new(true, 1.0);
        compare(&by_difference, &Summed::new(false, 1.0), search, players);
        let [estimates, refreshed] =
            [&by_difference.estimates, &by_difference.refreshed].map(|count| count.load(Ordering::Relaxed));
        assert!(estimates > 20 * refreshed, "{search:?}: {refreshed} of {estimates} found no base");
    }
}

#[test]
fn a_judge_that_counts_in_other_units_decides_alike_in_every_search() {
    for (search, players) in searches().into_iter().flat_map(|search| [(search, 2), (search, 3)]) {
        compare(&Summed::new(false, 1.0), &Summed::new(false, 4.0), search, players);
    }
}
