//! What an evaluation costs: of the positions after every move of a position, as a search meets them.

use std::hint::black_box;

use cpu_time::ThreadTime;

use crate::board::Geometry;
use crate::moves::MoveList;
use crate::players::judge::Judge;
use crate::players::linear::Linear;
use crate::players::minimax::Settings;
use crate::setup::Setup;
use crate::state::State;

use super::search::sample;

/// Nanoseconds an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgeBench {
    pub evaluations: u64,
    /// After the position before the moves was approached, what that costs included.
    pub from_parent_ns: f64,
    /// Without any base.
    pub refreshed_ns: f64,
}

/// Evaluates what follows on `positions` of quick games by the hand-set weights, again and again for about `seconds` of CPU
/// time each way.
pub fn bench_judge<G: Geometry, J: Judge>(
    setup: Setup,
    judge: &J,
    positions: usize,
    seconds: f64,
    seed: u64,
) -> JudgeBench {
    let players = Linear::of_setting("baseline").unwrap_or_default();
    let families: Vec<(State<G>, Vec<State<G>>)> = sample::<G>(setup, &players, &Settings::BEST, positions, seed)
        .into_iter()
        .map(|parent| (parent, children(&parent)))
        .collect();
    let (evaluations, from_parent_ns) = time(seconds, || {
        let (mut desk, mut count) = (J::Desk::<G>::default(), 0);
        for (parent, children) in &families {
            judge.approach(parent, 0, &mut desk);
            for child in children {
                black_box(judge.estimate(black_box(child), 0, &mut desk));
            }
            count += children.len() as u64;
        }
        count
    });
    let (_, refreshed_ns) = time(seconds, || {
        let (mut desk, mut count) = (J::Desk::<G>::default(), 0);
        for child in families.iter().flat_map(|(_, children)| children) {
            black_box(judge.estimate(black_box(child), 0, &mut desk));
            count += 1;
        }
        count
    });
    JudgeBench { evaluations, from_parent_ns, refreshed_ns }
}

/// The positions after every legal move that does not end the game.
fn children<G: Geometry>(parent: &State<G>) -> Vec<State<G>> {
    let mut list = MoveList::new();
    parent.legal_moves(&mut list);
    let after = list.iter().map(|one| {
        let mut after = *parent;
        after.apply(*one);
        after
    });
    after.filter(|after| after.outcome().is_none()).collect()
}

/// Number of evaluations, and nanoseconds each.
fn time(seconds: f64, mut pass: impl FnMut() -> u64) -> (u64, f64) {
    pass();
    let (clock, mut count) = (ThreadTime::now(), 0);
    while clock.elapsed().as_secs_f64() < seconds {
        count += pass();
    }
    (count, clock.elapsed().as_secs_f64() * 1e9 / count.max(1) as f64)
}
