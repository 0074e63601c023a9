//! One decision of one agent: for callers that play a game move by move.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::board::Geometry;
use crate::drivers::agent::Agent;
use crate::drivers::host::{Host, Stop};
use crate::drivers::inquiry::ask;
use crate::drivers::thought::{Next, Thought};
use crate::moves::Move;
use crate::players::memory::Memory;
use crate::players::{Choice, Player};
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
        _ if legal.len() == 1 => Ok(Choice::unsearched(0)),
        _ => think(state, legal, agent, random, host),
    }
}

/// Asks the host as often as the decision wants.
fn think<G: Geometry, E>(
    state: &State<G>,
    legal: &[Move],
    agent: &Agent,
    random: &mut Random,
    host: &mut dyn Host<E>,
) -> Result<Choice, E> {
    let mut memory = Memory::default();
    let Some(mut thought) = Thought::begin(agent, state, legal, random, &mut memory) else {
        return Ok(Choice::unsearched(0));
    };
    let stopped = AtomicBool::new(false);
    let mut asked = Instant::now();
    loop {
        match thought.advance(random, &mut memory, &stopped) {
            Next::Decided(choice) => return Ok(choice),
            Next::Ask(inquiry) => {
                for answers in ask(&[inquiry], host)? {
                    thought.receive(answers, &mut memory);
                }
            }
        }
        if asked.elapsed() >= ASK_INTERVAL {
            asked = Instant::now();
            stopped.store(!host.receive(Vec::new())?, Ordering::Relaxed);
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
