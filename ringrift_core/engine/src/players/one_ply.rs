//! One decision of lookahead: every move tried, the turn completed, and evaluated.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::choice::{best_by, Choice, Found};
use crate::players::completion::try_all;
use crate::players::judge::{Judge, Sight};
use crate::players::values::Values;
use crate::playout::Random;
use crate::state::State;

/// Chooses among the legal moves; up to `noise`, in the judge's unit of it, is added to each.
pub fn choose<G: Geometry, J: Judge>(
    state: &State<G>,
    legal: &[Move],
    judge: &J,
    noise: f32,
    random: &mut Random,
) -> Choice {
    let (mover, players, mut list) = (state.mover(), state.players(), MoveList::new());
    let mut values: Vec<Values> = Vec::with_capacity(legal.len());
    let nodes = try_all(state, legal, &mut Sight::of(judge), &mut list, |_, _, found| values.push(found));
    let worths: Vec<f32> = values.iter().map(|values| values[mover]).collect();
    let index = best_by(&worths, noise * judge.noise_unit(), random);
    let calibration = judge.calibration(&state.setup);
    let found = Found {
        values: calibration.probabilities(&values[best_by(&worths, 0.0, random)], players),
        policy: calibration.policy(&worths),
        nodes,
        inner: Vec::new(),
    };
    Choice { index, found: Some(found) }
}
