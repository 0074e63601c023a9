//! Completing a turn before it is evaluated (training.md): captures, lines, payments, regions, forced eliminations, but no
//! new placement or plain move. So a move is judged by what it leads to, and all positions compared are at rest.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::judge::{Judge, Sight};
use crate::players::values::{across, Values};
use crate::state::{Phase, State};

/// Plays the rest of the mover's turn, each decision by the best position right after it. Returns the nodes spent.
pub fn complete_turn<G: Geometry, J: Judge>(
    state: &mut State<G>,
    sight: &mut Sight<'_, G, J>,
    ply: usize,
    list: &mut MoveList,
) -> u64 {
    let mut nodes = 0;
    let (seat, turn) = (state.mover(), state.turn.number);
    while is_settling(state.phase) && state.turn.number == turn {
        state.legal_moves(list);
        let mut best = 0;
        if list.len() > 1 {
            nodes += list.len() as u64;
            sight.approach(state, ply);
            let mut highest = f32::NEG_INFINITY;
            for (index, one) in list.iter().enumerate() {
                let mut after = *state;
                after.apply(*one);
                let value = sight.values(&after, ply)[seat];
                if value > highest {
                    (best, highest) = (index, value);
                }
            }
        }
        state.apply(list[best]);
    }
    nodes
}

/// Tries every legal move: plays it, completes the turn, and hands over the move's number, the position reached and its
/// values in the seats before the move. Returns the nodes spent.
pub fn try_all<G: Geometry, J: Judge>(
    state: &State<G>,
    legal: &[Move],
    sight: &mut Sight<'_, G, J>,
    list: &mut MoveList,
    mut take: impl FnMut(usize, &State<G>, Values),
) -> u64 {
    let mut nodes = legal.len() as u64;
    sight.approach(state, 0);
    for (index, one) in legal.iter().enumerate() {
        let mut after = *state;
        after.apply(*one);
        nodes += complete_turn(&mut after, sight, 1, list);
        take(index, &after, across(*one, sight.values(&after, 0)));
    }
    nodes
}

/// Phases that settle what a placement or a move began.
pub fn is_settling(phase: Phase) -> bool {
    matches!(
        phase,
        Phase::Capture
            | Phase::ChainCapture
            | Phase::LineProcessing
            | Phase::TerritoryProcessing
            | Phase::ForcedElimination
    )
}
