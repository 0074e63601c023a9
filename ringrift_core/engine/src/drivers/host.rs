//! What the drivers need of their caller.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::players::decision::Wish;
use crate::records::game::GameRecord;

/// An evaluator's outputs for a batch (docs/encoding.md), where they lie: a policy of the large boards takes 100 MB.
#[derive(Clone, Copy)]
pub struct Evaluated<'a> {
    /// Win probabilities `[rows, players]`, column 0 the seat to move.
    pub values: &'a [f32],
    /// The number of every policy key `[rows, policy]`, where it is wanted and the network has a policy.
    pub policy: Option<&'a [f32]>,
}

/// Takes what an evaluator says.
pub type Take<'a> = &'a mut (dyn FnMut(Evaluated<'_>) + Send);

/// What a run needs of its caller, always asked on the calling thread. `E` is the caller's own reason to stop.
pub trait Host<E> {
    /// Has an evaluator say what it says of encoded positions; an error where a policy is needed and it has none.
    fn evaluate(
        &mut self,
        evaluator: usize,
        rows: usize,
        planes: Vec<f32>,
        globals: Vec<f32>,
        policy: Wish,
        take: Take<'_>,
    ) -> Result<(), E>;
    /// Takes games as they finish, in any order, each with the number of its plan; none now and then. False ends the run:
    /// games under way are dropped.
    fn receive(&mut self, finished: Vec<(usize, GameRecord)>) -> Result<bool, E>;
}

/// Stops the workers when it is told to, and when the caller leaves early.
pub struct Stop<'a>(pub &'a AtomicBool);

impl Stop<'_> {
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.now();
    }
}
