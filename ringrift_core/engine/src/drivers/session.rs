//! One game under way: its state, its agents, and what it has recorded so far.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::board::{Geometry, MAX_PLAYERS};
use crate::drivers::packed::to_bytes;
use crate::drivers::record::{game_id, GameRecord};
use crate::drivers::rng;
use crate::drivers::searched::Searched;
use crate::moves::{Move, MoveKind, MoveList};
use crate::players::memory::Memory;
use crate::players::{best_by, Choice, Player};
use crate::playout::Random;
use crate::setup::Setup;
use crate::state::{Phase, State};

/// Who can sit at a seat.
#[derive(Clone, Debug)]
pub enum Agent {
    /// Decides by itself.
    Native(Player),
    /// Decides by the values that evaluator number `evaluator` gives the positions after its moves.
    Network { evaluator: usize, noise: f32 },
}

impl Agent {
    /// How long it takes over a decision, roughly, in evaluations of the heuristic: to begin the longest games first.
    pub fn cost(&self) -> u64 {
        match self {
            Agent::Native(player) => player.cost(),
            Agent::Network { .. } => 1000,
        }
    }
}

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
#[derive(PartialEq, Eq, Debug)]
pub enum Progress {
    Finished,
    /// The agent to move is a network; `choose` goes on.
    Waiting {
        evaluator: usize,
    },
    /// The run was stopped in the middle of the game.
    Stopped,
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

    /// Plays until the game is over or cut, a network has to decide, or `stopped` is set.
    pub fn advance(&mut self, agents: &[Agent], stopped: &AtomicBool) -> Progress {
        while self.state.phase != Phase::GameOver && self.state.turn.number <= self.plan.max_turns {
            if stopped.load(Ordering::Relaxed) {
                return Progress::Stopped;
            }
            self.state.legal_moves(&mut self.legal);
            let choice = if self.legal.len() == 1 {
                Choice::unsearched(0)
            } else if self.plan.random_move_rate > 0.0 && rng::unit(&mut self.plan.random) < self.plan.random_move_rate
            {
                Choice::unsearched(self.plan.random.below(self.legal.len()))
            } else {
                let mover = self.state.mover();
                match &agents[self.seated[mover]] {
                    Agent::Native(player) => {
                        let memory = &mut self.memories[mover];
                        player.choose(&self.state, &self.legal, &mut self.plan.random, stopped, memory)
                    }
                    Agent::Network { evaluator, .. } => return Progress::Waiting { evaluator: *evaluator },
                }
            };
            self.make(choice);
        }
        Progress::Finished
    }

    /// Makes a waiting network's decision, from one value per legal move.
    pub fn choose(&mut self, values: &[f32], agents: &[Agent]) {
        let noise = match &agents[self.seated[self.state.mover()]] {
            Agent::Network { noise, .. } => *noise,
            Agent::Native(_) => 0.0,
        };
        let index = best_by(values, noise, &mut self.plan.random);
        self.make(Choice::unsearched(index));
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
