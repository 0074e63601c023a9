//! Self-play: game `i` of a run is decided by (seed, i) and the modes, nothing else.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::drivers::session::{random_opening, Plan};
use crate::moves::Move;
use crate::rng::{stream, Purpose};
use crate::setup::Setup;

/// The games of a run.
pub struct SelfPlay {
    pub setup: Setup,
    pub seed: u64,
    /// Numbers of the games to play.
    pub numbers: Vec<u64>,
    /// Agents of each mode; game `i` is played in mode `i % modes.len()`.
    pub modes: Vec<Vec<usize>>,
    pub max_turns: u32,
    /// Prefixes of games, dealt over the groups of games in turn: they begin where a prefix ends. An empty one leaves the
    /// beginning to chance, as no prefix at all does.
    pub prefixes: Vec<Vec<Move>>,
    /// Random decisions at the start of a game, from the least to the most: how many is drawn with the opening.
    pub opening_plies: (usize, usize),
    /// Successive games that share an opening.
    pub opening_group: u64,
    pub random_move_rate: f32,
}

impl SelfPlay {
    /// The plan of game `numbers[place]`.
    pub fn plan<G: Geometry>(&self, place: usize) -> Plan {
        let index = self.numbers[place];
        let mut random = stream(self.seed, Purpose::Game, index);
        let mode = &self.modes[(index % self.modes.len() as u64) as usize];
        let mut agents = [0; MAX_PLAYERS];
        for agent in &mut agents[..self.setup.players()] {
            *agent = if mode.len() == 1 { mode[0] } else { mode[random.below(mode.len())] };
        }
        let opening = self.opening::<G>(index / self.opening_group);
        let (random_move_rate, max_turns) = (self.random_move_rate, self.max_turns);
        Plan { index, agents, opening, random_move_rate, random, max_turns, keep_searches: true }
    }

    /// What the games of a group begin with.
    fn opening<G: Geometry>(&self, group: u64) -> Vec<Move> {
        if !self.prefixes.is_empty() {
            let prefix = &self.prefixes[(group % self.prefixes.len() as u64) as usize];
            if !prefix.is_empty() {
                return prefix.clone();
            }
        }
        let mut random = stream(self.seed, Purpose::Opening, group);
        let (least, most) = self.opening_plies;
        let plies = if least < most { least + random.below(most - least + 1) } else { least };
        if plies > 0 {
            random_opening::<G>(self.setup, &mut random, plies)
        } else {
            Vec::new()
        }
    }
}
