//! Moves without a choice.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::state::State;

/// Plays the bookkeeping moves that are the only legal ones, so that somebody decides or the game is over.
pub fn settle<G: Geometry>(state: &mut State<G>, list: &mut MoveList) {
    loop {
        state.legal_moves(list);
        match list[..] {
            [only] if only.kind().is_automatic() => state.apply(only),
            _ => return,
        }
    }
}

/// Plays moves as long as there is but one, so that somebody chooses or the game is over.
pub fn play_forced<G: Geometry>(state: &mut State<G>, list: &mut MoveList) {
    forced(state, list).for_each(drop);
}

/// The moves that `play_forced` plays, each played as it is taken; `list` holds the legal moves in the end.
pub fn forced<'a, G: Geometry>(state: &'a mut State<G>, list: &'a mut MoveList) -> impl Iterator<Item = Move> + 'a {
    std::iter::from_fn(move || {
        state.legal_moves(list);
        let [only] = list[..] else { return None };
        state.apply(only);
        Some(only)
    })
}
