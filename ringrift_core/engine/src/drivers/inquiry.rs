//! What a decision asks a network, and how the decisions of many games ask together.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::board::{Geometry, MAX_PLAYERS};
use crate::drivers::host::Host;
use crate::encoding::frame::Frame;
use crate::encoding::policy::keys;
use crate::encoding::{encode, Shape};
use crate::moves::{Move, MoveList};
use crate::players::heuristic::{self, Values};
use crate::players::{calibration, settle};
use crate::state::State;

/// Most positions handed to an evaluator at once.
const MOST_ROWS: usize = 4096;
/// Most numbers in the planes of one batch, and in its policy: 256 MB, for the large boards.
const MOST_NUMBERS: usize = 64 << 20;

/// Positions that one decision wants evaluated by one network.
pub struct Inquiry<G: Geometry> {
    pub evaluator: usize,
    pub positions: Vec<State<G>>,
}

/// A network's answer for one position.
pub struct Answer {
    /// Win probability of each seat as seated there, 0 beyond the players.
    pub values: Values,
    /// One for each legal move in the order of the legal list, from a network that has a policy.
    pub logits: Option<Vec<f32>>,
}

/// What is known of the position after a move before a network is asked.
pub enum Afterstate {
    /// The deciding agent's chance where the game is decided.
    Known(f32),
    /// Number of the position in the inquiry, and the seat of the deciding agent there.
    Asked(usize, usize),
}

impl Afterstate {
    /// The deciding agent's chance, given the answers to the inquiry.
    pub fn chance(&self, answers: &[Answer]) -> f32 {
        match self {
            Afterstate::Known(chance) => *chance,
            Afterstate::Asked(position, seat) => answers[*position].values[*seat],
        }
    }
}

/// The positions after each legal move, settled: bookkeeping is played, so that the network sees somebody decide.
pub fn look_ahead<G: Geometry>(state: &State<G>, legal: &[Move]) -> (Vec<State<G>>, Vec<Afterstate>) {
    let mut positions = Vec::new();
    let mut list = MoveList::new();
    let mut after = |one: &Move| {
        let seat = heuristic::seat_after(state, *one);
        let mut state = *state;
        state.apply(*one);
        settle(&mut state, &mut list);
        match heuristic::decided_values(&state) {
            Some(values) => {
                Afterstate::Known(calibration::of(&state.setup).probabilities(&values, state.players())[seat])
            }
            None => {
                positions.push(state);
                Afterstate::Asked(positions.len() - 1, seat)
            }
        }
    };
    let afterstates = legal.iter().map(&mut after).collect();
    (positions, afterstates)
}

/// The answers to each inquiry, in order: every evaluator is asked for all its positions together.
pub fn ask<G: Geometry, E>(inquiries: &[Inquiry<G>], host: &mut dyn Host<E>) -> Result<Vec<Vec<Answer>>, E> {
    let mut answers: Vec<Vec<Answer>> = inquiries.iter().map(|one| Vec::with_capacity(one.positions.len())).collect();
    let evaluators: BTreeSet<usize> = inquiries.iter().map(|inquiry| inquiry.evaluator).collect();
    for evaluator in evaluators {
        let mine = || inquiries.iter().enumerate().filter(|(_, inquiry)| inquiry.evaluator == evaluator);
        let positions: Vec<&State<G>> = mine().flat_map(|(_, inquiry)| &inquiry.positions).collect();
        let mut answered = evaluate(&positions, evaluator, host)?.into_iter();
        for (index, inquiry) in mine() {
            answers[index].extend(answered.by_ref().take(inquiry.positions.len()));
        }
    }
    Ok(answers)
}

/// The answers for some positions, in batches of bounded size.
fn evaluate<G: Geometry, E>(
    positions: &[&State<G>],
    evaluator: usize,
    host: &mut dyn Host<E>,
) -> Result<Vec<Answer>, E> {
    let Some(first) = positions.first() else { return Ok(Vec::new()) };
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
            .for_each(|((planes, globals), state)| encode(state, planes, globals));
        let evaluated = host.evaluate(evaluator, batch.len(), planes, globals)?;
        let answer = |(row, state): (usize, &&State<G>)| Answer {
            values: unrotated(&evaluated.values[row * players..][..players], state.mover()),
            logits: evaluated
                .policy
                .as_ref()
                .map(|policy| logits(state, &policy[row * shape.policy..][..shape.policy])),
        };
        answers.par_extend(batch.par_iter().enumerate().map(answer));
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
