//! Opening books of matches: distinct random lines that end after seat 2's first decision.

use std::collections::HashSet;

use crate::board::Geometry;
use crate::drivers::rng::{stream, Purpose};
use crate::moves::{Move, MoveKind, MoveList};
use crate::playout::Random;
use crate::setup::Setup;
use crate::state::State;

/// Draws before a repeated line is accepted after all: only a book larger than the game's openings gets there.
const MOST_DRAWS: usize = 1000;

/// Lines `first .. first + count` of the book of `seed`. A line depends on those before it, which it must not repeat, and
/// on nothing else: any piece of a book can be asked for.
pub fn lines<G: Geometry>(setup: Setup, seed: u64, first: u64, count: usize) -> Vec<Vec<Move>> {
    let mut known = HashSet::new();
    let mut book = Vec::with_capacity(count);
    for index in 0..first + count as u64 {
        let mut random = stream(seed, Purpose::Book, index);
        let mut line = random_line::<G>(setup, &mut random);
        for _ in 1..MOST_DRAWS {
            if !known.contains(&line) {
                break;
            }
            line = random_line::<G>(setup, &mut random);
        }
        if index >= first {
            book.push(line.clone());
        }
        known.insert(line);
    }
    book
}

/// Random moves up to and with seat 2's first decision. Nobody swaps: rotating the seats means what it says.
fn random_line<G: Geometry>(setup: Setup, random: &mut Random) -> Vec<Move> {
    let mut state = State::<G>::new(setup);
    let mut list = MoveList::new();
    let mut line = Vec::new();
    loop {
        state.legal_moves(&mut list);
        let choices: Vec<Move> = list.iter().copied().filter(|one| one.kind() != MoveKind::SwapSides).collect();
        let Some(one) = choices.get(random.below(choices.len().max(1))) else { return line };
        let decides = state.mover() == 1 && list.len() > 1;
        line.push(*one);
        state.apply(*one);
        if decides {
            return line;
        }
    }
}
