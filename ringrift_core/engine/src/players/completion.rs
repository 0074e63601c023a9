//! Completing a turn before it is evaluated (training.md): captures, lines, payments, regions, forced eliminations, but no
//! new placement or plain move. So a move is judged by what it leads to, and all positions compared are at rest.

use crate::board::Geometry;
use crate::moves::MoveList;
use crate::players::heuristic::{self, Weights};
use crate::state::{Phase, State};

/// Plays the rest of the mover's turn, each decision by the best position right after it. Returns the nodes spent.
pub fn complete_turn<G: Geometry>(state: &mut State<G>, weights: &Weights, list: &mut MoveList) -> u64 {
    let mut nodes = 0;
    let (seat, turn) = (state.mover(), state.turn.number);
    while is_settling(state.phase) && state.turn.number == turn {
        state.legal_moves(list);
        let mut best = 0;
        if list.len() > 1 {
            nodes += list.len() as u64;
            let mut highest = f32::NEG_INFINITY;
            for (index, one) in list.iter().enumerate() {
                let mut after = *state;
                after.apply(*one);
                let value = heuristic::values(&after, weights)[seat];
                if value > highest {
                    (best, highest) = (index, value);
                }
            }
        }
        state.apply(list[best]);
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
