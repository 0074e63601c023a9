//! Seeded randomness: an independent generator for each (seed, purpose, index).
//!
//! Game `i` of a run draws from `stream(seed, Purpose::Game, i)` alone, so results depend neither on threads nor on how a
//! run is cut into pieces.

use crate::playout::Random;

/// What a stream is for: different purposes of the same index never share draws.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// A self-play game: seats, noise, random moves.
    Game = 1,
    /// The random opening of a group of self-play games.
    Opening = 2,
    /// A line of a match's opening book.
    Book = 3,
    /// A game of a match.
    Match = 4,
    /// A playout asked for by a caller.
    Playout = 5,
    /// A single decision asked for by a caller.
    Choice = 6,
    /// Which decisions of a game become rows of a dataset.
    Decisions = 7,
    /// The symmetries of a row of a dataset.
    Symmetries = 8,
}

/// The generator of (seed, purpose, index).
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> Random {
    Random::new(split_mix(split_mix(split_mix(seed) ^ purpose as u64) ^ index))
}

/// Uniform in [0, 1), in steps of 2^-24.
#[inline]
pub fn unit(random: &mut Random) -> f32 {
    (random.bits() >> 40) as f32 / (1u64 << 24) as f32
}

/// The output function of SplitMix64 (Steele, Lea and Flood 2014): a bijection that scatters close inputs.
pub fn split_mix(input: u64) -> u64 {
    let mut mixed = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(seed: u64, purpose: Purpose, index: u64) -> Vec<u64> {
        let mut random = stream(seed, purpose, index);
        (0..8).map(|_| random.bits()).collect()
    }

    #[test]
    fn streams_repeat_and_differ() {
        let base = draws(7, Purpose::Game, 3);
        assert_eq!(base, draws(7, Purpose::Game, 3));
        for other in [draws(8, Purpose::Game, 3), draws(7, Purpose::Game, 4), draws(7, Purpose::Match, 3)] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn unit_stays_below_one_and_averages_a_half() {
        let mut random = stream(1, Purpose::Playout, 0);
        let draws: Vec<f32> = (0..10_000).map(|_| unit(&mut random)).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        assert!((draws.iter().sum::<f32>() / 10_000.0 - 0.5).abs() < 0.02);
    }
}
