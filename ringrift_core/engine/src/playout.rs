//! Uniformly random play: the reference load for speed, and a source of positions.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::board::Geometry;
use crate::moves::MoveList;
use crate::state::{Phase, State};

/// A seeded random number generator: the same seed gives the same numbers everywhere.
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// Any 64 bits.
    #[inline(always)]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// For distributions that draw by themselves.
    pub fn generator(&mut self) -> &mut impl RngCore {
        &mut self.0
    }

    /// A number below `bound` (> 0), by multiply and shift; for bounds of game size the bias is below 2^-48.
    #[inline(always)]
    pub fn below(&mut self, bound: usize) -> usize {
        ((self.0.next_u64() as u128 * bound as u128) >> 64) as usize
    }
}

/// What a playout did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Playout {
    /// Recorded moves, bookkeeping included.
    pub moves: u64,
    /// Moves that were chosen among two or more.
    pub decisions: u64,
}

impl<G: Geometry> State<G> {
    /// Plays uniformly random legal moves until the game is over or `limit` moves are made, building the full legal list
    /// at every step.
    pub fn play_randomly(&mut self, random: &mut Random, limit: u64, list: &mut MoveList) -> Playout {
        let mut playout = Playout::default();
        while self.phase != Phase::GameOver && playout.moves < limit {
            self.legal_moves(list);
            let index = if list.len() > 1 {
                playout.decisions += 1;
                random.below(list.len())
            } else {
                0
            };
            let Some(one) = list.get(index) else { break };
            self.apply(*one);
            playout.moves += 1;
        }
        playout
    }
}
