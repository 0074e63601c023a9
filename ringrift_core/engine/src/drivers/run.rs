//! Playing many games. Who decides by itself does so on the threads of the native lane; who asks a network waits for the
//! caller, who asks for all that wait together. Neither lane waits for the other, and a game is the same whatever it waits
//! for and with whom.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use rayon::ThreadPool;

use crate::board::Geometry;
use crate::drivers::clock::Clock;
use crate::drivers::host::Host;
use crate::drivers::inquiry::ask;
use crate::drivers::lanes::{Lanes, Live, StopAtEnd};
use crate::drivers::session::{Plan, Progress};
use crate::players::decision::Inquiry;
use crate::players::Agent;
use crate::records::game::GameRecord;
use crate::setup::Setup;

/// How often finished games are handed over, and the caller is asked whether to go on.
const HAND_OVER_INTERVAL: Duration = Duration::from_millis(100);
/// Games that wait for a caller who is busy; beyond it the threads wait too, so memory stays bounded.
const MOST_WAITING: usize = 512;
/// So few games take their steps faster than other threads are woken for them.
const FEW: usize = 8;

/// Plays `count` games, each by its plan, and hands every finished one to the host. `threads` of them decide at the same
/// time, 0 for every core, beside what the host does to evaluate; a `clock` counts what that takes.
pub fn run<G: Geometry, E>(
    setup: Setup,
    agents: &[Agent],
    count: usize,
    plan: &(dyn Fn(usize) -> Plan + Sync),
    threads: usize,
    clock: Option<&Clock>,
    host: &mut dyn Host<E>,
) -> Result<(), E> {
    let threads =
        if threads > 0 { threads } else { std::thread::available_parallelism().map_or(1, |cores| cores.get()) };
    let lanes = Lanes::<G>::new(setup, agents, count, plan, threads, clock);
    let asks = agents.iter().any(Agent::asks);
    // A pool that cannot be made leaves the caller alone with it: slower, never different.
    let pool = if asks { rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok() } else { None };
    let (sender, receiver) = mpsc::sync_channel(MOST_WAITING);
    std::thread::scope(|scope| {
        // Both gone before the scope waits for its threads: one that waits for a game, or cannot send one, then ends.
        let receiver = receiver;
        let _stop = StopAtEnd(&lanes);
        // Where everybody asks, the caller alone begins games, and all of them ask together.
        let natives = if agents.iter().all(Agent::asks) { 0 } else { threads.min(count) };
        for _ in 0..natives {
            let (sender, lanes) = (sender.clone(), &lanes);
            scope.spawn(move || decide_natively(lanes, &sender));
        }
        let sender = (natives == 0).then_some(sender);
        let caller = Caller { lanes: &lanes, receiver, sender, pool, asking: Vec::new(), finished: Vec::new() };
        caller.lead(count, asks, host)
    })
}

/// What the native lane has for the caller.
enum News<G: Geometry> {
    Finished(usize, GameRecord),
    Asks(Live<G>, Inquiry<G>),
}

/// A thread of the native lane: takes a game, and plays it for as long as nobody has to be asked.
fn decide_natively<G: Geometry>(lanes: &Lanes<'_, G>, sender: &SyncSender<News<G>>) {
    // A panic ends the run, instead of leaving it waiting for this thread's game.
    let _stop = StopAtEnd(lanes);
    while let Some(mut game) = lanes.take() {
        let progress = loop {
            match game.session.advance(lanes.table()) {
                Progress::Decides => {}
                progress => break progress,
            }
        };
        let news = match progress {
            Progress::Finished => {
                let (number, record) = lanes.finish(game);
                News::Finished(number, record)
            }
            Progress::Waits(inquiry) => {
                lanes.weigh(&mut game);
                News::Asks(game, inquiry)
            }
            Progress::Decides | Progress::Stopped => return,
        };
        if sender.send(news).is_err() {
            return;
        }
    }
}

/// The thread of the call: asks the networks, takes the steps between their answers, and hands finished games over.
struct Caller<'a, 'b, G: Geometry> {
    lanes: &'a Lanes<'b, G>,
    receiver: Receiver<News<G>>,
    /// Kept while the run goes on where no thread has one: whoever hears of nobody takes it for the end.
    sender: Option<SyncSender<News<G>>>,
    pool: Option<ThreadPool>,
    /// Games that wait for a network, and what they ask it.
    asking: Vec<(Live<G>, Inquiry<G>)>,
    finished: Vec<(usize, GameRecord)>,
}

impl<G: Geometry> Caller<'_, '_, G> {
    fn lead<E>(mut self, count: usize, asks: bool, host: &mut dyn Host<E>) -> Result<(), E> {
        let mut handed_over = Instant::now();
        let mut left = count;
        if asks {
            self.step(host)?; // Begins games before anything is waited for.
        }
        loop {
            // Only who has nothing to ask waits for news.
            let patience = if self.asking.is_empty() && left > self.finished.len() {
                HAND_OVER_INTERVAL.saturating_sub(handed_over.elapsed())
            } else {
                Duration::ZERO
            };
            if !self.hear(patience) {
                return Ok(()); // A thread has panicked: the scope passes it on.
            }
            if left == self.finished.len()
                || self.finished.len() >= MOST_WAITING
                || handed_over.elapsed() >= HAND_OVER_INTERVAL
            {
                left -= self.finished.len();
                handed_over = Instant::now();
                let goes_on = host.receive(std::mem::take(&mut self.finished))?;
                if left == 0 {
                    return Ok(());
                }
                if !goes_on {
                    return self.end(host);
                }
            }
            if asks {
                self.step(host)?;
            }
        }
    }

    /// Stops the threads, and hands over what they finished meanwhile.
    fn end<E>(mut self, host: &mut dyn Host<E>) -> Result<(), E> {
        self.lanes.stop();
        self.sender = None; // Or there would be no end of waiting for news.
        while let Ok(news) = self.receiver.recv() {
            self.take(news);
        }
        host.receive(self.finished).map(|_| ())
    }

    /// Takes all news there is; waits so long for the first. False once there is nobody to hear from.
    fn hear(&mut self, patience: Duration) -> bool {
        let mut news = match self.receiver.recv_timeout(patience) {
            Ok(first) => Some(first),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return false,
        };
        while let Some(one) = news {
            self.take(one);
            news = if self.finished.len() < MOST_WAITING { self.receiver.try_recv().ok() } else { None };
        }
        true
    }

    fn take(&mut self, news: News<G>) {
        match news {
            News::Finished(number, record) => self.finished.push((number, record)),
            News::Asks(game, inquiry) => self.asking.push((game, inquiry)),
        }
    }

    /// Begins what may be begun, has all that wait evaluated, and takes each game to where it waits next.
    fn step<E>(&mut self, host: &mut dyn Host<E>) -> Result<(), E> {
        let (mut games, inquiries): (Vec<Live<G>>, Vec<Inquiry<G>>) = self.asking.drain(..).unzip();
        for (game, answers) in games.iter_mut().zip(ask::<G, E>(&inquiries, host)?) {
            game.session.receive(answers);
        }
        games.extend(self.lanes.begin());
        let progress = self.advance(&mut games);
        let mut native = Vec::new();
        for (game, progress) in games.into_iter().zip(progress) {
            match progress {
                Progress::Waits(inquiry) => self.asking.push((game, inquiry)),
                Progress::Decides => native.push(game),
                Progress::Finished => self.finished.push(self.lanes.finish(game)),
                Progress::Stopped => {}
            }
        }
        if !native.is_empty() {
            self.lanes.hand_over(native);
        }
        Ok(())
    }

    fn advance(&self, games: &mut [Live<G>]) -> Vec<Progress<G>> {
        let advance = |game: &mut Live<G>| game.session.advance(self.lanes.table());
        match &self.pool {
            Some(pool) if games.len() > FEW => pool.install(|| games.par_iter_mut().map(advance).collect()),
            _ => games.iter_mut().map(advance).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8};
    use crate::drivers::host::{Evaluated, Take};
    use crate::players::asked::Asked;
    use crate::players::decision::Wish;
    use crate::players::{AnyJudge, Search};
    use crate::playout::Random;
    use crate::setup::Profile;

    /// Takes games until there are so many; whoever asks hears that all is alike.
    struct Taker {
        numbers: Vec<usize>,
        most: usize,
    }

    impl Host<()> for Taker {
        fn evaluate(
            &mut self,
            _: usize,
            rows: usize,
            _: Vec<f32>,
            _: Vec<f32>,
            _: Wish,
            take: Take<'_>,
        ) -> Result<(), ()> {
            take(Evaluated { values: &vec![0.5; 2 * rows], policy: None });
            Ok(())
        }

        fn receive(&mut self, finished: Vec<(usize, GameRecord)>) -> Result<bool, ()> {
            self.numbers.extend(finished.into_iter().map(|(number, _)| number));
            Ok(self.numbers.len() < self.most)
        }
    }

    fn play(count: usize, most: usize, plan: &(dyn Fn(usize) -> Plan + Sync)) -> Vec<usize> {
        play_as(Agent::RANDOM, count, most, plan)
    }

    fn play_as(agent: Agent, count: usize, most: usize, plan: &(dyn Fn(usize) -> Plan + Sync)) -> Vec<usize> {
        let mut host = Taker { numbers: Vec::new(), most };
        let setup = Setup::new(Board::Hex8, 2, Profile::Canonical).expect("playable");
        run::<Hex8, ()>(setup, &[agent], count, plan, 3, None, &mut host).expect("all is answered");
        host.numbers.sort_unstable();
        host.numbers
    }

    fn plan(number: usize) -> Plan {
        Plan {
            index: number as u64,
            agents: [0; 4],
            opening: Vec::new(),
            random_move_rate: 0.0,
            random: Random::new(number as u64),
            max_turns: 30,
            keep_searches: false,
        }
    }

    #[test]
    fn every_game_is_handed_over_once() {
        assert_eq!(play(2000, usize::MAX, &plan), (0..2000).collect::<Vec<_>>());
        assert!(play(0, usize::MAX, &plan).is_empty());
    }

    #[test]
    fn a_run_that_is_stopped_hands_over_what_was_finished_and_ends() {
        let numbers = play(usize::MAX, 600, &plan);
        assert!(numbers.len() >= 600);
        assert!(numbers.windows(2).all(|two| two[0] < two[1]), "one came twice");
    }

    #[test]
    fn a_run_in_which_everybody_asks_ends_when_it_is_stopped() {
        let judge = AnyJudge::Asked(Asked { evaluator: 0 });
        let asking = || Agent::new(Search::OnePly { noise: 0.0 }, judge.clone()).expect("can look with it");
        assert_eq!(play_as(asking(), 300, usize::MAX, &plan).len(), 300);
        assert!((20..usize::MAX).contains(&play_as(asking(), usize::MAX, 20, &plan).len()));
    }

    #[test]
    fn a_thread_that_panics_ends_the_run() {
        let fails = |number: usize| if number < 200 { plan(number) } else { panic!("no plan") };
        assert!(std::panic::catch_unwind(|| play(1000, usize::MAX, &fails)).is_err());
    }
}
