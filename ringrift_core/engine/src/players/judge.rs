//! The seam between searches and evaluations: a search looks ahead, a judge says what it sees there.

use crate::board::Geometry;
use crate::players::calibration::Calibration;
use crate::players::values::{decided_values, Values};
use crate::setup::Setup;
use crate::state::State;

/// Evaluates positions at once. Searches are compiled for each judge, so that asking one costs a call at most; those that
/// have to be asked from outside, in batches, are the business of `asked`.
pub trait Judge: Clone + Send + Sync {
    /// What a judge keeps for one search beside its positions, such as the accumulators of some of them: a state and what
    /// was summed up of it make a base, from which another state is reached by their difference. Any base serves any
    /// position; the plies say which is near. Nothing of it enters the states, so copying one stays the undo.
    type Desk<G: Geometry>: Default + Send;

    /// Positions a move or a turn away from `state` come next, estimated at `ply`: the parent of siblings.
    #[inline(always)]
    fn approach<G: Geometry>(&self, _state: &State<G>, _ply: usize, _desk: &mut Self::Desk<G>) {}

    /// The value of every seat of a game that goes on, in units of the judge's own: far from a won one's (`WON`), higher is
    /// better, and only differences mean anything. It depends on the position alone, whatever lies on the desk.
    fn estimate<G: Geometry>(&self, state: &State<G>, ply: usize, desk: &mut Self::Desk<G>) -> Values;

    /// From this judge's values to win probabilities, and to shares of moves to learn from.
    fn calibration(&self, setup: &Setup) -> Calibration;

    /// The same for the leaves of a tree search, its prior among them.
    fn leaf_calibration(&self, setup: &Setup) -> Calibration;

    /// The value that a player's noise of 1 adds at most.
    fn noise_unit(&self) -> f32;
}

/// A judge at work for one search.
pub struct Sight<'a, G: Geometry, J: Judge> {
    pub judge: &'a J,
    desk: J::Desk<G>,
}

impl<'a, G: Geometry, J: Judge> Sight<'a, G, J> {
    pub fn of(judge: &'a J) -> Sight<'a, G, J> {
        Sight { judge, desk: J::Desk::default() }
    }

    /// See `Judge::approach`.
    #[inline(always)]
    pub fn approach(&mut self, state: &State<G>, ply: usize) {
        self.judge.approach(state, ply, &mut self.desk);
    }

    /// The value of every seat, whether or not the game is decided.
    #[inline(always)]
    pub fn estimate(&mut self, state: &State<G>, ply: usize) -> Values {
        self.judge.estimate(state, ply, &mut self.desk)
    }

    /// The value of every seat: the outcome where the game is over or decided, the judge's estimate elsewhere.
    #[inline(always)]
    pub fn values(&mut self, state: &State<G>, ply: usize) -> Values {
        decided_values(state).unwrap_or_else(|| self.estimate(state, ply))
    }
}
