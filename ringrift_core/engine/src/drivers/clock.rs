//! What decisions take: core time by agent, for comparisons at equal time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cpu_time::ThreadTime;

/// Of the agents of a run that decide by themselves. What others take is asked of networks, and is the caller's to measure.
pub struct Clock {
    agents: Vec<Spent>,
}

#[derive(Default)]
struct Spent {
    decisions: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Clock {
    pub fn of(agents: usize) -> Clock {
        Clock { agents: (0..agents).map(|_| Spent::default()).collect() }
    }

    /// Does some work of an agent's, on its account.
    pub fn count<T>(&self, agent: usize, work: impl FnOnce() -> T) -> T {
        let begun = ThreadTime::now();
        let done = work();
        let spent = begun.elapsed().as_nanos() as u64;
        self.agents[agent].nanoseconds.fetch_add(spent, Ordering::Relaxed);
        done
    }

    /// An agent has decided.
    pub fn decided(&self, agent: usize) {
        self.agents[agent].decisions.fetch_add(1, Ordering::Relaxed);
    }

    /// Decisions of each agent, and the time that threads spent on them.
    pub fn read(&self) -> Vec<(u64, Duration)> {
        let of = |spent: &Spent| {
            let nanoseconds = spent.nanoseconds.load(Ordering::Relaxed);
            (spent.decisions.load(Ordering::Relaxed), Duration::from_nanos(nanoseconds))
        };
        self.agents.iter().map(of).collect()
    }
}
