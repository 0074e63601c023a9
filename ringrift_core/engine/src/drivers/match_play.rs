//! Matches: groups of games with one opening each, the candidate in every seat in turn (training.md, Gates).

use std::collections::BTreeMap;

use crate::board::{Geometry, MAX_PLAYERS};
use crate::drivers::book;
use crate::drivers::session::Plan;
use crate::moves::Move;
use crate::records::game::GameRecord;
use crate::rng::{stream, Purpose};
use crate::setup::Setup;

/// Matches of several candidates against one opponent, on the same openings. Agent 0 is the opponent, agent `c + 1`
/// candidate `c`.
pub struct Matches {
    setup: Setup,
    seed: u64,
    first_group: u64,
    candidates: usize,
    max_turns: u32,
    book: Vec<Vec<Move>>,
}

/// One group of one candidate's match.
pub struct GroupResult {
    pub group: u64,
    /// Game `k`: the candidate starts at seat `k`.
    pub games: Vec<GameRecord>,
}

impl GroupResult {
    /// Did the candidate win game `k`? None when nobody won.
    pub fn candidate_won(&self, game: usize) -> Option<bool> {
        self.games[game].winning_agent().map(|seat| seat == game)
    }

    /// Games won by the candidate; one without a winner counts 1/players.
    pub fn score(&self) -> f64 {
        let share = 1.0 / self.games.len() as f64;
        let worth = |game| self.candidate_won(game).map_or(share, |won| won as u8 as f64);
        (0..self.games.len()).map(worth).sum()
    }
}

impl Matches {
    pub fn new<G: Geometry>(
        setup: Setup,
        seed: u64,
        (first_group, groups): (u64, usize),
        candidates: usize,
        max_turns: u32,
    ) -> Matches {
        let book = book::lines::<G>(setup, seed, first_group, groups);
        Matches { setup, seed, first_group, candidates, max_turns, book }
    }

    /// Games of all matches together.
    pub fn games(&self) -> usize {
        self.candidates * self.book.len() * self.setup.players()
    }

    /// The plan of a game: candidates first, then groups, then seats. Its randomness depends on (seed, group, seat) alone,
    /// so every candidate meets the same conditions.
    pub fn plan(&self, number: usize) -> Plan {
        let players = self.setup.players();
        let (rest, seat) = (number / players, number % players);
        let (candidate, group) = (rest / self.book.len(), rest % self.book.len());
        let index = (self.first_group + group as u64) * players as u64 + seat as u64;
        let mut agents = [0; MAX_PLAYERS];
        agents[seat] = candidate + 1;
        Plan {
            index,
            agents,
            opening: self.book[group].clone(),
            random_move_rate: 0.0,
            random: stream(self.seed, Purpose::Match, index),
            max_turns: self.max_turns,
            keep_searches: false,
        }
    }

    /// The whole groups of each candidate, in order.
    pub fn results(&self, mut records: BTreeMap<usize, GameRecord>) -> Vec<Vec<GroupResult>> {
        let (players, groups) = (self.setup.players(), self.book.len());
        let mut group_of = |candidate: usize, group: usize| {
            let first = (candidate * groups + group) * players;
            let games: Option<Vec<_>> = (first..first + players).map(|number| records.remove(&number)).collect();
            games.map(|games| GroupResult { group: self.first_group + group as u64, games })
        };
        (0..self.candidates)
            .map(|candidate| (0..groups).filter_map(|group| group_of(candidate, group)).collect())
            .collect()
    }
}
