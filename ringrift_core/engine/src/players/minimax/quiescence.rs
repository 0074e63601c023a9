//! Positions at rest: when the depth runs out, the turn is completed before it is evaluated (training.md). Captures, lines,
//! payments and regions are searched on, and forced moves are played; nothing is newly placed or moved by choice.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::moves::MoveList;
use crate::players::completion::{complete_turn, is_settling};
use crate::players::judge::Judge;
use crate::players::values::{self, Values, WON};
use crate::state::{Phase, State};

use super::aim::Aim;
use super::search::{Rest, Search};

/// What a loss is worth that better play of the same turn might have avoided: less than certain.
pub(super) const UNPROVEN: f32 = 0.99;

impl<G: Geometry, J: Judge> Search<'_, G, J> {
    /// Values once the mover's turn, and every forced move after it, is completed.
    pub(super) fn at_rest(&mut self, mut state: State<G>, rest: Rest) -> Values {
        let mut frame = self.take_frame(rest.ply);
        let list = &mut frame.list;
        let mut turn = state.turn.number;
        let mut careless = [false; MAX_PLAYERS];
        let values = loop {
            let settling = is_settling(state.phase) && state.turn.number == turn;
            if !settling && !may_be_forced(&state) {
                break self.value_after(&state, rest.ply, careless);
            }
            state.legal_moves(list);
            if let [only] = list[..] {
                turn = state.turn.number;
                state.apply(only);
            } else if !settling || values::decided_values(&state).is_some() {
                break self.value_after(&state, rest.ply, careless);
            } else if rest.left > 0 {
                break self.best_completion(&state, list, rest);
            } else {
                careless[state.mover()] = true;
                let nodes = complete_turn(&mut state, &mut self.sight, rest.ply, list);
                self.meter.count_nodes(nodes);
            }
        };
        self.put_back(rest.ply, frame);
        values
    }

    fn best_completion(&mut self, state: &State<G>, list: &MoveList, rest: Rest) -> Values {
        let mover = state.mover();
        self.sight.approach(state, rest.ply + 1);
        let (low, enough) = rest.aim.window(mover, rest.alpha, rest.beta);
        let (mut best, mut most) = ([0.0; MAX_PLAYERS], f32::NEG_INFINITY);
        for one in list.iter() {
            let mut after = *state;
            after.apply(*one);
            self.meter.count_node();
            let (alpha, beta) = rest.aim.hero_window(mover, low.max(most), enough);
            let values = self.at_rest(after, Rest { alpha, beta, left: rest.left - 1, ply: rest.ply + 1, ..rest });
            let worth = rest.aim.worth(&values, mover);
            if worth > most {
                (best, most) = (values, worth);
            }
            if most >= enough || self.meter.is_spent() {
                break;
            }
        }
        if rest.aim == Aim::Own && most >= WON {
            return values::won_by(mover, state.players());
        }
        best
    }

    /// The outcome or the evaluation. A game lost after a careless completion is not yet proven to be lost.
    fn value_after(&mut self, state: &State<G>, ply: usize, careless: [bool; MAX_PLAYERS]) -> Values {
        let Some(mut values) = values::decided_values(state) else {
            self.estimated = true;
            return self.sight.estimate(state, ply);
        };
        if careless.iter().zip(values).any(|(careless, value)| *careless && value < WON) {
            self.estimated = true;
            values.iter_mut().for_each(|value| *value *= UNPROVEN);
        }
        values
    }
}

/// Is it worth a look whether the mover has no choice? A seat without placements passes on; a stack may have one way to go.
/// The only legal placement of a seat that may not skip is missed, which is a matter of depth alone.
#[inline]
pub(super) fn may_be_forced<G: Geometry>(state: &State<G>) -> bool {
    match state.phase {
        Phase::RingPlacement => !state.has_placement(state.mover()),
        Phase::Movement => true,
        _ => false,
    }
}
