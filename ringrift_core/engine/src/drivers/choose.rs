//! One decision of one agent: for callers that play a game move by move.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::board::Geometry;
use crate::drivers::run::{network_values, Host, Stop};
use crate::drivers::session::Agent;
use crate::moves::Move;
use crate::players::memory::Memory;
use crate::players::{best_by, Choice, Player};
use crate::playout::Random;
use crate::state::State;

/// How often the host is asked whether to go on.
const ASK_INTERVAL: Duration = Duration::from_millis(100);

/// Chooses among the legal moves, of which there must be one. The host is asked now and then whether to go on: its refusal
/// takes the best move so far, its error ends the search.
pub fn choose<G: Geometry, E>(
    state: &State<G>,
    legal: &[Move],
    agent: &Agent,
    random: &mut Random,
    host: &mut dyn Host<E>,
) -> Result<Choice, E> {
    match agent {
        Agent::Native(player) => search(state, legal, player, random, host),
        Agent::Network { .. } if legal.len() == 1 => Ok(Choice::unsearched(0)),
        Agent::Network { evaluator, noise } => {
            let values = network_values(state, legal, *evaluator, host)?;
            Ok(Choice::unsearched(best_by(&values, *noise, random)))
        }
    }
}

/// Searches on a thread of its own, so that the calling one can ask the host.
fn search<G: Geometry, E>(
    state: &State<G>,
    legal: &[Move],
    player: &Player,
    random: &mut Random,
    host: &mut dyn Host<E>,
) -> Result<Choice, E> {
    let stopped = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let stop = Stop(&stopped);
        let searching = scope.spawn(|| {
            let choice = player.choose(state, legal, random, &stopped, &mut Memory::default());
            let _ = sender.send(()); // wakes the caller; that it has left by an error is no matter
            choice
        });
        while let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(ASK_INTERVAL) {
            if searching.is_finished() {
                break;
            }
            if !host.receive(Vec::new())? {
                stop.now();
            }
        }
        Ok(searching.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
