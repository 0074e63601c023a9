//! Playing many games: over threads where every agent decides by itself, in lock-step where a network is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::board::Geometry;
use crate::drivers::host::{Host, Stop};
use crate::drivers::inquiry::ask;
use crate::drivers::session::{Plan, Progress, Session};
use crate::players::Agent;
use crate::records::game::GameRecord;
use crate::setup::Setup;

/// How often finished games are handed over, and the caller is asked whether to go on.
const HAND_OVER_INTERVAL: Duration = Duration::from_millis(100);
/// Finished games that wait for a caller who is busy; beyond it the threads wait too, so memory stays bounded.
const MOST_WAITING: usize = 512;
/// Games among which the longest are begun first.
const BLOCK: usize = 128;
/// Games in lock-step when a network plays: enough to fill its batches.
const LIVE_GAMES: usize = 128;

/// Plays `count` games, each by its plan, and hands every finished one to the host.
pub fn run<G: Geometry, E>(
    setup: Setup,
    agents: &[Agent],
    count: usize,
    plan: &(dyn Fn(usize) -> Plan + Sync),
    threads: usize,
    host: &mut dyn Host<E>,
) -> Result<(), E> {
    let threads =
        if threads > 0 { threads } else { std::thread::available_parallelism().map_or(1, |cores| cores.get()) };
    let work = Work::new(setup.players(), agents, count, plan);
    if agents.iter().any(Agent::asks) {
        run_in_batches::<G, E>(setup, agents, &work, threads, host)
    } else {
        run_on_threads::<G, E>(setup, agents, &work, threads, host)
    }
}

/// The games still to begin.
struct Work<'a> {
    players: usize,
    agents: &'a [Agent],
    count: usize,
    plan: &'a (dyn Fn(usize) -> Plan + Sync),
    /// Number of the first game of no block yet, and the rest of the current block, the next game last.
    left: Mutex<(usize, Vec<(usize, Plan)>)>,
}

impl<'a> Work<'a> {
    fn new(players: usize, agents: &'a [Agent], count: usize, plan: &'a (dyn Fn(usize) -> Plan + Sync)) -> Work<'a> {
        Work { players, agents, count, plan, left: Mutex::new((0, Vec::new())) }
    }

    /// The next game, by number. In each block those whose players look at most come first: a run then ends with short
    /// games, and no core waits long for another's last one.
    fn next(&self) -> Option<(usize, Plan)> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, block) = &mut *left;
        if block.is_empty() {
            let last = self.count.min(*first + BLOCK);
            block.extend((*first..last).map(|number| (number, (self.plan)(number))));
            block.sort_by_key(|(number, plan)| (self.cost(plan), std::cmp::Reverse(*number)));
            *first = last;
        }
        block.pop()
    }

    fn cost(&self, plan: &Plan) -> u64 {
        plan.agents[..self.players].iter().map(|agent| self.agents[*agent].cost()).fold(0, u64::saturating_add)
    }
}

fn run_on_threads<G: Geometry, E>(
    setup: Setup,
    agents: &[Agent],
    work: &Work<'_>,
    threads: usize,
    host: &mut dyn Host<E>,
) -> Result<(), E> {
    let stopped = AtomicBool::new(false);
    let (sender, receiver) = mpsc::sync_channel(MOST_WAITING);
    std::thread::scope(|scope| {
        // Dropped before the scope waits for its threads: one that cannot send ends.
        let receiver = receiver;
        let stop = Stop(&stopped);
        for _ in 0..threads.min(work.count) {
            let (sender, stopped) = (sender.clone(), &stopped);
            scope.spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let Some((number, plan)) = work.next() else { return };
                    let mut session = Session::<G>::new(setup, plan);
                    if !matches!(session.advance(agents, stopped), Progress::Finished)
                        || sender.send((number, session.into_record())).is_err()
                    {
                        return;
                    }
                }
            });
        }
        drop(sender);
        loop {
            let (finished, ended) = collect(&receiver);
            if !host.receive(finished)? {
                stop.now();
            }
            if ended {
                return Ok(());
            }
        }
    })
}

/// What finishes within the interval, or as much as may wait; and whether that was the last of all.
fn collect(receiver: &mpsc::Receiver<(usize, GameRecord)>) -> (Vec<(usize, GameRecord)>, bool) {
    let until = Instant::now() + HAND_OVER_INTERVAL;
    let mut finished = Vec::new();
    while finished.len() < MOST_WAITING {
        match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(game) => finished.push(game),
            Err(mpsc::RecvTimeoutError::Timeout) => break,
            Err(mpsc::RecvTimeoutError::Disconnected) => return (finished, true),
        }
    }
    (finished, false)
}

fn run_in_batches<G: Geometry, E>(
    setup: Setup,
    agents: &[Agent],
    work: &Work<'_>,
    threads: usize,
    host: &mut dyn Host<E>,
) -> Result<(), E> {
    // A pool that cannot be made leaves rayon's own: slower or faster, never different.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok();
    // The caller is asked between the decisions of a batch, which is often enough.
    let never = AtomicBool::new(false);
    let mut live: Vec<(usize, Session<G>)> = Vec::new();
    let mut handed_over = Instant::now();
    loop {
        let fresh = std::iter::from_fn(|| work.next()).take(LIVE_GAMES - live.len());
        live.extend(fresh.map(|(number, plan)| (number, Session::new(setup, plan))));
        if live.is_empty() {
            host.receive(Vec::new())?;
            return Ok(());
        }
        let mut advance =
            || live.par_iter_mut().map(|(_, session)| session.advance(agents, &never)).collect::<Vec<_>>();
        let progress = match &pool {
            Some(pool) => pool.install(&mut advance),
            None => advance(),
        };
        let (mut waiting, mut inquiries, mut finished) = (Vec::new(), Vec::new(), Vec::new());
        for ((number, session), progress) in live.drain(..).zip(progress) {
            match progress {
                Progress::Finished => finished.push((number, session.into_record())),
                Progress::Waiting(inquiry) => {
                    waiting.push((number, session));
                    inquiries.push(inquiry);
                }
                Progress::Stopped => {}
            }
        }
        if !finished.is_empty() || handed_over.elapsed() >= HAND_OVER_INTERVAL {
            handed_over = Instant::now();
            if !host.receive(finished)? {
                return Ok(());
            }
        }
        for ((_, session), answers) in waiting.iter_mut().zip(ask::<G, E>(&inquiries, host)?) {
            session.receive(answers);
        }
        live = waiting;
    }
}
