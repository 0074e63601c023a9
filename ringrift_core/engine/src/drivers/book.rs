//! Opening books of matches: distinct random lines that end after seat 2's first decision.

use std::collections::HashSet;

use crate::board::Geometry;
use crate::moves::{Move, MoveKind, MoveList};
use crate::playout::Random;
use crate::rng::{stream, Purpose};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Square8};
    use crate::setup::Profile;

    fn setup(players: usize) -> Setup {
        Setup::new(Board::Square8, players, Profile::Canonical).expect("playable").with_swap(players == 2)
    }

    #[test]
    fn a_book_is_the_same_in_pieces_and_repeats_no_line() {
        let whole = lines::<Square8>(setup(2), 3, 0, 300);
        assert_eq!(whole[120..150], lines::<Square8>(setup(2), 3, 120, 30));
        assert_eq!(whole.iter().collect::<HashSet<_>>().len(), 300);
        assert_ne!(whole, lines::<Square8>(setup(2), 4, 0, 300));
    }

    #[test]
    fn a_line_ends_with_seat_twos_first_decision_and_never_swaps() {
        for players in 2..=4 {
            for line in lines::<Square8>(setup(players), 1, 0, 100) {
                let mut state = State::<Square8>::new(setup(players));
                for (index, one) in line.iter().enumerate() {
                    assert_ne!(one.kind(), MoveKind::SwapSides);
                    assert_eq!(state.mover(), (index + 1 == line.len()) as usize);
                    state.play(*one).expect("a legal line");
                }
            }
        }
    }
}
