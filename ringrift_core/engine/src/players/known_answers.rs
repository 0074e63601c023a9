//! Positions whose answers are known by trying everything: what the tests of all searches are held against.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::values::{across, decided_values, Values};
use crate::rng::{stream, Purpose};
use crate::setup::Setup;
use crate::state::State;

/// Every position of a random game at which somebody decides, the last first.
pub fn decisions_of_random_game<G: Geometry>(setup: Setup, game: u64) -> Vec<State<G>> {
    let mut random = stream(11, Purpose::Playout, game);
    let mut state = State::<G>::new(setup);
    let mut list = MoveList::new();
    let mut states = Vec::new();
    loop {
        state.legal_moves(&mut list);
        if list.is_empty() {
            states.reverse();
            return states;
        }
        if list.len() > 1 {
            states.push(state);
        }
        state.apply(list[random.below(list.len())]);
    }
}

/// Legal moves of a position.
pub fn legal<G: Geometry>(state: &State<G>) -> Vec<Move> {
    let mut list = MoveList::new();
    state.legal_moves(&mut list);
    list.to_vec()
}

/// The position after a move.
pub fn after<G: Geometry>(state: &State<G>, one: Move) -> State<G> {
    let mut after = *state;
    after.apply(one);
    after
}

/// Every value that best play for oneself (max^n) can give a position; more than one where somebody is indifferent. None
/// when more than `left` positions would have to be looked at.
pub fn solve<G: Geometry>(state: &State<G>, left: &mut usize) -> Option<Vec<Values>> {
    *left = left.checked_sub(1)?;
    if let Some(values) = decided_values(state) {
        return Some(vec![values]);
    }
    let mover = state.mover();
    let mut below: Vec<Vec<Values>> = Vec::new();
    for one in legal(state) {
        let values = solve(&after(state, one), left)?;
        below.push(values.into_iter().map(|values| across(one, values)).collect());
    }
    // A value stands if every other move can turn out no better.
    let least = |values: &Vec<Values>| values.iter().map(|values| values[mover]).fold(f32::INFINITY, f32::min);
    let bar = below.iter().map(least).fold(f32::NEG_INFINITY, f32::max);
    let mut found: Vec<Values> = below.into_iter().flatten().filter(|values| values[mover] >= bar).collect();
    found.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
    found.dedup();
    Some(found)
}

/// Can the agent at `seat` force a win before turn `until` is over, whatever all others do? None when more than `left`
/// positions would have to be looked at.
pub fn can_force_win<G: Geometry>(state: &State<G>, seat: usize, until: u32, left: &mut usize) -> Option<bool> {
    *left = left.checked_sub(1)?;
    if let Some(values) = decided_values(state) {
        return Some(values[seat] > 0.0);
    }
    if state.turn.number > until {
        return Some(false);
    }
    let chooses = state.mover() == seat;
    for one in legal(state) {
        let seat_below = if across(one, [0.0, 1.0, 2.0, 3.0])[seat] == seat as f32 { seat } else { 1 - seat };
        if can_force_win(&after(state, one), seat_below, until, left)? == chooses {
            return Some(chooses);
        }
    }
    Some(!chooses)
}

/// Positions in which the mover can force a win in exactly `turns` turns of any seat, its own first: with fewer it cannot.
pub fn forced_wins<G: Geometry>(setup: Setup, turns: u32, count: usize) -> Vec<State<G>> {
    const MOST_POSITIONS: usize = 30_000;
    let mut found = Vec::new();
    for game in 0..20_000 {
        for state in decisions_of_random_game::<G>(setup, game).into_iter().take(16) {
            let forces = |turns: u32| {
                let until = state.turn.number + turns - 1;
                can_force_win(&state, state.mover(), until, &mut MOST_POSITIONS.clone())
            };
            let shorter = if turns == 1 { Some(false) } else { forces(turns - 1) };
            if shorter == Some(false) && forces(turns) == Some(true) {
                found.push(state);
                break;
            }
        }
        if found.len() == count {
            break;
        }
    }
    found
}
