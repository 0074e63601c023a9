//! One decision of one agent: for callers that play a game move by move.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::board::Geometry;
use crate::drivers::host::{Host, Stop};
use crate::drivers::inquiry::ask;
use crate::moves::Move;
use crate::players::asked::Thought;
use crate::players::decision::{Next, Situation};
use crate::players::memory::Memory;
use crate::players::{Agent, Choice};
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
    if legal.len() == 1 {
        return Ok(Choice::unsearched(0));
    }
    let stopped = AtomicBool::new(false);
    let (mut thought, mut memory) = (Thought::default(), Memory::default());
    let mut think = |thought: &mut Thought, stopped: &AtomicBool| {
        agent.think(thought, Situation { state, legal, random, memory: &mut memory, stopped })
    };
    let mut asked = Instant::now();
    loop {
        let next = if agent.asks() {
            think(&mut thought, &stopped)
        } else {
            beside(&stopped, host, || think(&mut thought, &stopped))?
        };
        match next {
            Next::Decided(choice) => return Ok(choice),
            Next::Ask(inquiry) => {
                for answers in ask(&[inquiry], host)? {
                    thought.receive(answers);
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
fn beside<T: Send, E>(stopped: &AtomicBool, host: &mut dyn Host<E>, search: impl FnOnce() -> T + Send) -> Result<T, E> {
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        let stop = Stop(stopped);
        let searching = scope.spawn(|| {
            let found = search();
            let _ = sender.send(()); // wakes the caller; that it has left by an error is no matter
            found
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
