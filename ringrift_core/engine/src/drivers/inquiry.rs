//! How the decisions of many games ask their networks together.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::board::{Geometry, MAX_PLAYERS};
use crate::drivers::host::Host;
use crate::encoding::frame::Frame;
use crate::encoding::policy::keys;
use crate::encoding::{encode, Shape};
use crate::moves::MoveList;
use crate::players::decision::{Answer, Inquiry, Wish};
use crate::players::values::Values;
use crate::state::State;

/// Most positions handed to an evaluator at once.
const MOST_ROWS: usize = 4096;
/// Most numbers in the planes of one batch, and in its policy: 256 MB, for the large boards.
const MOST_NUMBERS: usize = 64 << 20;

/// The answers to each inquiry, in order: every evaluator is asked for all its positions together.
pub fn ask<'a, G: Geometry, E>(inquiries: &'a [Inquiry<G>], host: &mut dyn Host<E>) -> Result<Vec<Vec<Answer>>, E> {
    let mut answers: Vec<Vec<Answer>> = inquiries.iter().map(|one| Vec::with_capacity(one.positions.len())).collect();
    let evaluators: BTreeSet<usize> = inquiries.iter().map(|inquiry| inquiry.evaluator).collect();
    for evaluator in evaluators {
        let mine = || inquiries.iter().enumerate().filter(|(_, inquiry)| inquiry.evaluator == evaluator);
        let wished = |inquiry: &'a Inquiry<G>| inquiry.positions.iter().map(|state| (state, inquiry.policy));
        let positions: Vec<(&State<G>, Wish)> = mine().flat_map(|(_, inquiry)| wished(inquiry)).collect();
        let mut answered = evaluate(&positions, evaluator, host)?.into_iter();
        for (index, inquiry) in mine() {
            answers[index].extend(answered.by_ref().take(inquiry.positions.len()));
        }
    }
    Ok(answers)
}

/// The answers for some positions, in batches of bounded size.
fn evaluate<G: Geometry, E>(
    positions: &[(&State<G>, Wish)],
    evaluator: usize,
    host: &mut dyn Host<E>,
) -> Result<Vec<Answer>, E> {
    let Some((first, _)) = positions.first() else { return Ok(Vec::new()) };
    let players = first.players();
    let shape = Shape::of(G::BOARD, players);
    let rows = MOST_ROWS.min(MOST_NUMBERS / shape.plane_len().max(shape.policy)).max(1);
    let mut answers = Vec::with_capacity(positions.len());
    for batch in positions.chunks(rows) {
        let mut planes = vec![0.0; batch.len() * shape.plane_len()];
        let mut globals = vec![0.0; batch.len() * shape.globals];
        planes
            .par_chunks_exact_mut(shape.plane_len())
            .zip(globals.par_chunks_exact_mut(shape.globals))
            .zip(batch)
            .for_each(|((planes, globals), (state, _))| encode(state, planes, globals));
        let policy = batch.iter().map(|(_, wish)| *wish).max().unwrap_or(Wish::No);
        host.evaluate(evaluator, batch.len(), planes, globals, policy, &mut |evaluated| {
            let answer = |(row, (state, wish)): (usize, &(&State<G>, Wish))| {
                let policy = evaluated.policy.filter(|_| *wish > Wish::No);
                Answer {
                    values: unrotated(&evaluated.values[row * players..][..players], state.mover()),
                    logits: policy.map(|policy| logits(state, &policy[row * shape.policy..][..shape.policy])),
                }
            };
            answers.par_extend(batch.par_iter().enumerate().map(answer));
        })?;
    }
    Ok(answers)
}

/// The logit of each legal move, from a position's row of the policy.
fn logits<G: Geometry>(state: &State<G>, policy: &[f32]) -> Vec<f32> {
    let mut list = MoveList::new();
    state.legal_moves(&mut list);
    list.iter().map(|one| keys(state, *one, Frame::identity(G::BOARD)).logit(policy)).collect()
}

/// A row of values by seat; column 0 of `row` is the seat to move.
fn unrotated(row: &[f32], mover: usize) -> Values {
    let mut values = [0.0; MAX_PLAYERS];
    for (offset, value) in row.iter().enumerate() {
        values[(mover + offset) % row.len()] = *value;
    }
    values
}
