//! The games of a run between their decisions: those still to begin, and those whose next decision needs nobody's answer.
//! The threads of the native lane take them from here; who asks a network waits with the caller (`run`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::board::Geometry;
use crate::drivers::clock::Clock;
use crate::drivers::session::{Plan, Session, Table};
use crate::players::Agent;
use crate::records::game::GameRecord;
use crate::setup::Setup;

/// Games among which the longest are begun first.
const BLOCK: usize = 128;
/// Most games under way where a network plays: enough to fill its batches.
const LIVE_GAMES: usize = 128;
/// Bytes that the trees of the games under way may take together: a small slot holds them beside a network.
const MEMORY: u64 = 1 << 30;

/// A game under way.
pub struct Live<G: Geometry> {
    /// Of its plan.
    pub number: usize,
    pub session: Box<Session<G>>,
    /// What its agents will keep in mind after their first decisions.
    expected: u64,
    /// What they keep in mind, but no less than is expected.
    bytes: u64,
}

/// What all threads of a run share.
pub struct Lanes<'a, G: Geometry> {
    agents: &'a [Agent],
    clock: Option<&'a Clock>,
    /// Set once the run is over, or is to end early.
    stopped: AtomicBool,
    setup: Setup,
    bounds: Bounds,
    shared: Mutex<Shared<'a, G>>,
    /// A game has come into the native lane, another may be begun, or the run has stopped.
    changed: Condvar,
}

struct Shared<'a, G: Geometry> {
    work: Work<'a>,
    /// Games whose mover decides by itself, those that wait longest first.
    ready: VecDeque<Live<G>>,
    under_way: UnderWay,
}

/// How many games are under way, and what they may take.
#[derive(Default)]
struct UnderWay {
    games: usize,
    bytes: u64,
}

/// How many games may be under way: as many as there are threads, and where a network plays as many as fill its batches and
/// fit into memory.
#[derive(Clone, Copy)]
struct Bounds {
    threads: usize,
    most: usize,
}

impl Bounds {
    fn admit(self, under_way: &UnderWay, bytes: u64) -> bool {
        under_way.games < self.threads || under_way.games < self.most && under_way.bytes.saturating_add(bytes) <= MEMORY
    }
}

impl<'a, G: Geometry> Lanes<'a, G> {
    pub fn new(
        setup: Setup,
        agents: &'a [Agent],
        count: usize,
        plan: &'a (dyn Fn(usize) -> Plan + Sync),
        threads: usize,
        clock: Option<&'a Clock>,
    ) -> Lanes<'a, G> {
        let most = if agents.iter().any(Agent::asks) { LIVE_GAMES } else { threads };
        let work = Work { players: setup.players(), agents, count, plan, first: 0, block: Vec::new() };
        let shared = Shared { work, ready: VecDeque::new(), under_way: UnderWay::default() };
        Lanes {
            agents,
            clock,
            stopped: AtomicBool::new(false),
            setup,
            bounds: Bounds { threads, most },
            shared: Mutex::new(shared),
            changed: Condvar::new(),
        }
    }

    /// What every session is advanced with.
    pub fn table(&self) -> Table<'_> {
        Table { agents: self.agents, stopped: &self.stopped, clock: self.clock }
    }

    /// A game for a thread of the native lane: one that is ready, else a new one. Waits for either; None once the run has
    /// stopped.
    pub fn take(&self) -> Option<Live<G>> {
        let mut shared = self.shared();
        while !self.stopped.load(Ordering::Relaxed) {
            if let Some(game) = shared.ready.pop_front() {
                return Some(game);
            }
            if let Some(begun) = shared.begin(self.bounds) {
                drop(shared);
                return Some(begun.live(self.setup));
            }
            shared = self.changed.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// As many new games as may be begun now.
    pub fn begin(&self) -> Vec<Live<G>> {
        let mut shared = self.shared();
        let begun: Vec<Begun> = std::iter::from_fn(|| shared.begin(self.bounds)).collect();
        drop(shared);
        begun.into_iter().map(|one| one.live(self.setup)).collect()
    }

    /// Hands games over whose movers decide by themselves.
    pub fn hand_over(&self, games: Vec<Live<G>>) {
        self.shared().ready.extend(games);
        self.changed.notify_all();
    }

    /// Notes what a game's agents keep in mind by now: while trees are large no other game is begun.
    pub fn weigh(&self, game: &mut Live<G>) {
        let bytes = game.expected.max(game.session.bytes());
        let mut shared = self.shared();
        shared.under_way.bytes = shared.under_way.bytes - game.bytes + bytes;
        drop(shared);
        game.bytes = bytes;
        self.changed.notify_one();
    }

    /// The record of a game that is over, with the number of its plan; another may be begun in its place.
    pub fn finish(&self, game: Live<G>) -> (usize, GameRecord) {
        let finished = (game.number, game.session.into_record());
        let mut shared = self.shared();
        shared.under_way.games -= 1;
        shared.under_way.bytes -= game.bytes;
        drop(shared);
        self.changed.notify_one();
        finished
    }

    /// Ends the run: games under way are dropped.
    pub fn stop(&self) {
        let shared = self.shared(); // Nobody is between looking at `stopped` and waiting.
        self.stopped.store(true, Ordering::Relaxed);
        drop(shared);
        self.changed.notify_all();
    }

    fn shared(&self) -> MutexGuard<'_, Shared<'a, G>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<G: Geometry> Shared<'_, G> {
    fn begin(&mut self, bounds: Bounds) -> Option<Begun> {
        let under_way = &self.under_way;
        let begun = self.work.next_if(|bytes| bounds.admit(under_way, bytes))?;
        self.under_way.games += 1;
        self.under_way.bytes += begun.bytes;
        Some(begun)
    }
}

/// Stops a run at the end of its scope, however it comes.
pub struct StopAtEnd<'a, 'b, G: Geometry>(pub &'a Lanes<'b, G>);

impl<G: Geometry> Drop for StopAtEnd<'_, '_, G> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A game that may be begun: its opening is still to be played.
struct Begun {
    number: usize,
    plan: Plan,
    bytes: u64,
}

impl Begun {
    fn live<G: Geometry>(self, setup: Setup) -> Live<G> {
        Live {
            number: self.number,
            session: Box::new(Session::new(setup, self.plan)),
            expected: self.bytes,
            bytes: self.bytes,
        }
    }
}

/// The games still to begin.
struct Work<'a> {
    players: usize,
    agents: &'a [Agent],
    count: usize,
    plan: &'a (dyn Fn(usize) -> Plan + Sync),
    /// Number of the first game of no block yet.
    first: usize,
    /// The rest of the current block, the next game last.
    block: Vec<(usize, Plan)>,
}

impl Work<'_> {
    /// The next game, if what it may keep in mind is admitted. In each block those whose players look at most come first: a
    /// run then ends with short games, and no core waits long for another's last one.
    fn next_if(&mut self, admitted: impl FnOnce(u64) -> bool) -> Option<Begun> {
        if self.block.is_empty() {
            let last = self.count.min(self.first + BLOCK);
            self.block = (self.first..last).map(|number| (number, (self.plan)(number))).collect();
            let (agents, players) = (self.agents, self.players);
            self.block
                .sort_by_key(|(number, plan)| (sum(agents, players, plan, Agent::cost), std::cmp::Reverse(*number)));
            self.first = last;
        }
        // What takes more than there is takes all of it: sums of games stay sums.
        let bytes = sum(self.agents, self.players, &self.block.last()?.1, Agent::kept_bytes).min(MEMORY);
        if !admitted(bytes) {
            return None;
        }
        let (number, plan) = self.block.pop()?;
        Some(Begun { number, plan, bytes })
    }
}

/// Over the agents of a game.
fn sum(agents: &[Agent], players: usize, plan: &Plan, of: impl Fn(&Agent) -> u64) -> u64 {
    plan.agents[..players].iter().map(|agent| of(&agents[*agent])).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Square8};
    use crate::drivers::session::Progress;
    use crate::players::asked::Asked;
    use crate::players::budget::Budget;
    use crate::players::descent::{self, Growth};
    use crate::players::linear::{setting, Linear};
    use crate::players::{AnyJudge, Search};
    use crate::playout::Random;
    use crate::setup::Profile;

    fn setup() -> Setup {
        Setup::new(Board::Square8, 2, Profile::Canonical).expect("playable")
    }

    fn descent(nodes: u64) -> Agent {
        let settings = descent::Settings {
            budget: Budget::of_nodes(nodes),
            growth: Growth::OnePosition,
            exploration: 0.0,
            inner: 0,
        };
        let judge = AnyJudge::Linear(Linear { weights: setting("baseline").expect("documented") });
        Agent::new(Search::Descent(settings), judge).expect("can look with it")
    }

    fn asking() -> Agent {
        let judge = AnyJudge::Asked(Asked { evaluator: 0 });
        Agent::new(Search::OnePly { noise: 0.0 }, judge).expect("can look with it")
    }

    /// Agent 0 against agent 1.
    fn plan(number: usize) -> Plan {
        Plan {
            index: number as u64,
            agents: [0, 1, 0, 0],
            opening: Vec::new(),
            random_move_rate: 0.0,
            random: Random::new(number as u64),
            max_turns: 10,
            keep_searches: false,
        }
    }

    /// How many games are begun with two threads, and how many more once one is over.
    fn begun(agents: &[Agent]) -> (usize, usize) {
        let lanes = Lanes::<Square8>::new(setup(), agents, 1000, &plan, 2, None);
        let mut games = lanes.begin();
        let first = games.len();
        lanes.finish(games.remove(0));
        (first, lanes.begin().len())
    }

    #[test]
    fn as_many_games_are_under_way_as_fill_a_batch_fit_into_memory_and_keep_the_threads_busy() {
        assert_eq!(begun(&[asking(), asking()]), (LIVE_GAMES, 1));
        assert_eq!(begun(&[asking(), descent(1000)]), (LIVE_GAMES, 1));
        let bytes = descent(1_000_000).kept_bytes();
        assert_eq!(begun(&[asking(), descent(1_000_000)]), ((MEMORY / bytes) as usize, 1));
        assert_eq!(begun(&[asking(), descent(u64::MAX)]), (2, 1)); // For both threads, whatever it takes.
        assert_eq!(begun(&[descent(1000), descent(1000)]), (2, 1)); // Nobody asks: more would only take memory.
    }

    #[test]
    fn no_game_is_begun_while_the_trees_of_others_are_large() {
        let agents = [descent(100_000), asking()];
        let lanes = Lanes::<Square8>::new(setup(), &agents, 1000, &plan, 1, None);
        let mut game = lanes.take().expect("there are some");
        let expected = game.expected;
        assert_eq!(expected, agents[0].kept_bytes());
        while matches!(game.session.advance(lanes.table()), Progress::Decides) {}
        let bytes = game.session.bytes();
        assert!(bytes > expected / 10 && bytes < 2 * expected, "{bytes} bytes, {expected} expected");
        lanes.weigh(&mut game);
        assert_eq!(lanes.shared().under_way.bytes, bytes.max(expected));
        game.expected = 0; // Had nothing been expected of it,
        lanes.weigh(&mut game);
        assert_eq!(lanes.shared().under_way.bytes, bytes); // what it has would count all the same.
        lanes.shared().under_way.bytes += MEMORY - bytes;
        assert!(lanes.begin().is_empty());
        lanes.finish(game);
        assert_eq!(lanes.shared().under_way.bytes, MEMORY - bytes);
        assert!(!lanes.begin().is_empty());
    }
}
