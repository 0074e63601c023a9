//! What bounds a search: depth, nodes, simulations, time, and a caller that has heard enough.
//!
//! Depth, nodes and simulations repeat: the same seed and budget give the same move on any machine. Time and the stop flag
//! are for people and for shutting down; they are looked at every few nodes only, which keeps counting cheap.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Nodes between two looks at the clock and the stop flag: far below a millisecond in any search.
const LOOK_EVERY: u64 = 128;

/// The bounds of one decision; the first that is met ends the search. Without any it goes on until it is stopped or has
/// solved the position.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Budget {
    /// Plies: decisions with more than one legal move (training.md).
    pub depth: Option<u32>,
    /// Decisions applied.
    pub nodes: Option<u64>,
    /// Walks from the root to a leaf.
    pub simulations: Option<u64>,
    /// Wall time.
    pub time: Option<Duration>,
}

impl Budget {
    pub fn of_depth(depth: u32) -> Budget {
        Budget { depth: Some(depth), ..Budget::default() }
    }

    pub fn of_nodes(nodes: u64) -> Budget {
        Budget { nodes: Some(nodes), ..Budget::default() }
    }

    pub fn of_simulations(simulations: u64) -> Budget {
        Budget { simulations: Some(simulations), ..Budget::default() }
    }
}

impl Budget {
    /// The meter of a search that goes on after `nodes` and `simulations`, begun at `begun`.
    pub fn resumed<'a>(&self, nodes: u64, simulations: u64, begun: Instant, stopped: &'a AtomicBool) -> Meter<'a> {
        let left = Budget {
            depth: self.depth,
            nodes: self.nodes.map(|most| most.saturating_sub(nodes)),
            simulations: self.simulations.map(|most| most.saturating_sub(simulations)),
            time: self.time.map(|most| most.saturating_sub(begun.elapsed())),
        };
        Meter::start(&left, stopped)
    }
}

/// A budget being spent. Depth is left to the search, which alone knows what it looks ahead.
pub struct Meter<'a> {
    most_nodes: u64,
    most_simulations: u64,
    deadline: Option<Instant>,
    stopped: &'a AtomicBool,
    nodes: u64,
    simulations: u64,
    look_at: u64,
    spent: bool,
}

impl<'a> Meter<'a> {
    /// Starts the clock.
    pub fn start(budget: &Budget, stopped: &'a AtomicBool) -> Meter<'a> {
        let mut meter = Meter {
            most_nodes: budget.nodes.unwrap_or(u64::MAX),
            most_simulations: budget.simulations.unwrap_or(u64::MAX),
            // A time too far away to be written down is none.
            deadline: budget.time.and_then(|time| Instant::now().checked_add(time)),
            stopped,
            nodes: 0,
            simulations: 0,
            look_at: 0,
            spent: false,
        };
        meter.look();
        meter
    }

    /// Counts one decision applied.
    #[inline(always)]
    pub fn count_node(&mut self) {
        self.count_nodes(1);
    }

    /// Counts several decisions applied.
    #[inline(always)]
    pub fn count_nodes(&mut self, nodes: u64) {
        self.nodes += nodes;
        if self.nodes >= self.look_at {
            self.look();
        }
    }

    /// Counts a finished simulation, and looks at the clock: one may take long where a network is asked.
    pub fn count_simulation(&mut self) {
        self.simulations += 1;
        self.look();
    }

    /// Reads the clock and the stop flag now.
    pub fn look(&mut self) {
        self.spent |= self.nodes >= self.most_nodes
            || self.simulations >= self.most_simulations
            || self.stopped.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.look_at = self.most_nodes.min(self.nodes.saturating_add(LOOK_EVERY));
    }

    /// Is it time to return the best so far? Once true it stays so.
    #[inline(always)]
    pub fn is_spent(&self) -> bool {
        self.spent
    }

    #[inline(always)]
    pub fn nodes(&self) -> u64 {
        self.nodes
    }

    pub fn simulations(&self) -> u64 {
        self.simulations
    }

    /// Simulations that the budget has left.
    pub fn simulations_left(&self) -> u64 {
        self.most_simulations - self.simulations.min(self.most_simulations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_budget_ends_at_exactly_that_node() {
        let never = AtomicBool::new(false);
        for most in [1, 5, LOOK_EVERY - 1, LOOK_EVERY, 1000] {
            let mut meter = Meter::start(&Budget::of_nodes(most), &never);
            while !meter.is_spent() {
                meter.count_node();
            }
            assert_eq!(meter.nodes(), most);
        }
        assert!(Meter::start(&Budget::of_nodes(0), &never).is_spent());
    }

    #[test]
    fn a_simulation_budget_ends_at_exactly_that_simulation() {
        let never = AtomicBool::new(false);
        let mut meter = Meter::start(&Budget::of_simulations(3), &never);
        while !meter.is_spent() {
            meter.count_nodes(7);
            meter.count_simulation();
        }
        assert_eq!((meter.simulations(), meter.simulations_left(), meter.nodes()), (3, 0, 21));
    }

    #[test]
    fn the_stop_flag_and_the_clock_are_seen_within_a_few_nodes() {
        let stopped = AtomicBool::new(false);
        let mut meter = Meter::start(&Budget::default(), &stopped);
        meter.count_nodes(10 * LOOK_EVERY);
        assert!(!meter.is_spent());
        stopped.store(true, Ordering::Relaxed);
        (0..LOOK_EVERY).for_each(|_| meter.count_node());
        assert!(meter.is_spent());
        let never = AtomicBool::new(false);
        let begun = Instant::now();
        let mut meter = Meter::start(&Budget { time: Some(Duration::from_millis(5)), ..Budget::default() }, &never);
        while !meter.is_spent() {
            meter.count_node();
        }
        assert!(begun.elapsed() >= Duration::from_millis(5));
        assert!(!Meter::start(&Budget { time: Some(Duration::MAX), ..Budget::default() }, &never).is_spent());
    }
}
