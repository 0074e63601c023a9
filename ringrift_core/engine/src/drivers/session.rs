//! One game under way: its state, its agents, and what it has recorded so far.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::board::{Geometry, MAX_PLAYERS};
use crate::drivers::clock::Clock;
use crate::moves::{Move, MoveKind, MoveList};
use crate::players::asked::Thought;
use crate::players::decision::{Answer, Inquiry, Next, Situation};
use crate::players::memory::Memory;
use crate::players::{Agent, Choice};
use crate::playout::Random;
use crate::records::game::{game_id, GameRecord};
use crate::records::packed::to_bytes;
use crate::records::searched::Searched;
use crate::rng;
use crate::setup::Setup;
use crate::state::{Phase, State};

/// How one game is to be played.
pub struct Plan {
    pub index: u64,
    /// Agent number of each seat at the start.
    pub agents: [usize; MAX_PLAYERS],
    /// Moves played before anybody decides.
    pub opening: Vec<Move>,
    /// Share of decisions made at random after the opening.
    pub random_move_rate: f32,
    /// The game's own generator.
    pub random: Random,
    /// A game that would go on beyond this turn is cut.
    pub max_turns: u32,
    /// Is what searches find kept in the record?
    pub keep_searches: bool,
}

/// Why `advance` returned.
pub enum Progress<G: Geometry> {
    Finished,
    /// The agent to move asks a network: `receive` takes the answers, then `advance` goes on.
    Waits(Inquiry<G>),
    /// The agent to move decides by itself, which may take long: `advance` again, on a thread that has the time.
    Decides,
    /// The run was stopped in the middle of the game.
    Stopped,
}

/// Those who play, and what they share.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    pub agents: &'a [Agent],
    /// Set once the run is over, or is to end early.
    pub stopped: &'a AtomicBool,
    /// Where it is counted what decisions take.
    pub clock: Option<&'a Clock>,
}

/// A game under way.
pub struct Session<G: Geometry> {
    pub state: State<G>,
    /// The legal moves while waiting.
    pub legal: MoveList,
    plan: Plan,
    /// Agent at each seat now.
    seated: [usize; MAX_PLAYERS],
    /// What the agent at each seat now keeps in mind.
    memories: [Memory<G>; MAX_PLAYERS],
    /// The decision under way.
    thought: Option<Thought>,
    moves: Vec<Move>,
    decisions: u32,
    searches: Vec<Searched>,
}

impl<G: Geometry> Session<G> {
    pub fn new(setup: Setup, plan: Plan) -> Self {
        let mut session = Session {
            state: State::new(setup),
            legal: MoveList::new(),
            seated: plan.agents,
            memories: Default::default(),
            thought: None,
            moves: Vec::new(),
            decisions: 0,
            searches: Vec::new(),
            plan,
        };
        for one in std::mem::take(&mut session.plan.opening) {
            session.state.legal_moves(&mut session.legal);
            session.record(one);
        }
        session
    }

    /// Plays until the game is over or cut, somebody is to decide by itself, an evaluator is asked, or `stopped` is set. Once
    /// somebody was to decide by itself, the next call makes that decision first.
    pub fn advance(&mut self, table: Table<'_>) -> Progress<G> {
        let Table { agents, stopped, .. } = table;
        if let Some(inquiry) = self.think_on(table) {
            return Progress::Waits(inquiry);
        }
        while self.state.phase != Phase::GameOver && self.state.turn.number <= self.plan.max_turns {
            if stopped.load(Ordering::Relaxed) {
                return Progress::Stopped;
            }
            self.state.legal_moves(&mut self.legal);
            if self.legal.len() == 1 {
                self.make(Choice::unsearched(0));
            } else if self.plan.random_move_rate > 0.0 && rng::unit(&mut self.plan.random) < self.plan.random_move_rate
            {
                let index = self.plan.random.below(self.legal.len());
                self.make(Choice::unsearched(index));
            } else {
                self.thought = Some(Thought::default());
                let agent = &agents[self.seated[self.state.mover()]];
                // A draw costs less than to hand the game over.
                if !agent.asks() && agent.cost() > 0 {
                    return Progress::Decides;
                }
                if let Some(inquiry) = self.think_on(table) {
                    return Progress::Waits(inquiry);
                }
            }
        }
        // A search that was stopped may have ended the game by another move than it would have.
        if stopped.load(Ordering::Relaxed) {
            Progress::Stopped
        } else {
            Progress::Finished
        }
    }

    /// Goes on with a decision under way, if there is one: makes it, or says what it asks next.
    fn think_on(&mut self, table: Table<'_>) -> Option<Inquiry<G>> {
        let thought = self.thought.as_mut()?;
        let mover = self.state.mover();
        let (agent, clock) = (self.seated[mover], table.clock);
        let situation = Situation {
            state: &self.state,
            legal: &self.legal,
            random: &mut self.plan.random,
            memory: &mut self.memories[mover],
            stopped: table.stopped,
        };
        let think = || table.agents[agent].think(thought, situation);
        let next = match clock {
            Some(clock) => clock.count(agent, think),
            None => think(),
        };
        match next {
            Next::Ask(inquiry) => Some(inquiry),
            Next::Decided(choice) => {
                if let Some(clock) = clock {
                    clock.decided(agent);
                }
                self.thought = None;
                self.make(choice);
                None
            }
        }
    }

    /// Takes the answers to what was asked, one for each position.
    pub fn receive(&mut self, answers: Vec<Answer>) {
        if let Some(thought) = &mut self.thought {
            thought.receive(answers);
        }
    }

    fn make(&mut self, choice: Choice) {
        if let Some(found) = choice.found.filter(|_| self.plan.keep_searches) {
            self.searches.push(Searched::of(self.decisions, &self.legal, found));
        }
        self.record(self.legal[choice.index]);
    }

    fn record(&mut self, one: Move) {
        if self.legal.len() > 1 {
            self.decisions += 1;
            self.memories.iter_mut().for_each(|memory| memory.decided(one));
        }
        self.moves.push(one);
        self.state.apply(one);
        if one.kind() == MoveKind::SwapSides {
            self.seated.swap(0, 1);
            self.memories.swap(0, 1);
        }
    }

    /// What its agents keep in mind takes so much memory, about.
    pub fn bytes(&self) -> u64 {
        self.memories.iter().map(Memory::bytes).sum()
    }

    /// The record of a finished game.
    pub fn into_record(self) -> GameRecord {
        let outcome = self.state.outcome();
        GameRecord {
            index: self.plan.index,
            game_id: game_id(&self.state.setup, &to_bytes(&self.moves)),
            agents: self.plan.agents,
            winner: outcome.map(|outcome| outcome.winner),
            ranks: outcome.map_or([0; MAX_PLAYERS], |outcome| outcome.ranks),
            reason: outcome.map(|outcome| outcome.reason),
            swapped: self.moves.iter().any(|one| one.kind() == MoveKind::SwapSides),
            turns: self.state.turn.number.min(self.plan.max_turns),
            decisions: self.decisions,
            moves: self.moves,
            searches: self.searches,
        }
    }
}

/// The first `decisions` random decisions of a game, with the bookkeeping around them; no swap is made.
pub fn random_opening<G: Geometry>(setup: Setup, random: &mut Random, mut decisions: usize) -> Vec<Move> {
    let mut state = State::<G>::new(setup);
    let mut moves = Vec::new();
    let mut list = MoveList::new();
    loop {
        state.legal_moves(&mut list);
        let choices: Vec<Move> = list.iter().copied().filter(|one| one.kind() != MoveKind::SwapSides).collect();
        if choices.is_empty() || choices.len() > 1 && decisions == 0 {
            return moves;
        }
        let index = if choices.len() > 1 { random.below(choices.len()) } else { 0 };
        decisions -= (choices.len() > 1) as usize;
        moves.push(choices[index]);
        state.apply(choices[index]);
    }
}
