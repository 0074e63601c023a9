//! The ordinal distribution (Cohen-Solal 2020, section 7): moves are drawn by rank, whatever their values are.

use crate::playout::Random;
use crate::rng;

/// Draws a rank below `moves`, 0 the best. Each rank is taken with probability epsilon + (1 - epsilon) / (moves left), if
/// none before it was; epsilon = 1 always takes the best, 0 draws uniformly.
pub fn draw(moves: usize, epsilon: f32, random: &mut Random) -> usize {
    for rank in 0..moves.saturating_sub(1) {
        let left = (moves - rank) as f32;
        if rng::unit(random) < epsilon + (1.0 - epsilon) / left {
            return rank;
        }
    }
    moves.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{stream, Purpose};

    fn frequencies(moves: usize, epsilon: f32) -> Vec<f32> {
        let mut random = stream(1, Purpose::Playout, 0);
        let mut counts = vec![0.0; moves];
        for _ in 0..40_000 {
            counts[draw(moves, epsilon, &mut random)] += 1.0 / 40_000.0;
        }
        counts
    }

    #[test]
    fn better_ranks_are_drawn_more_often() {
        for (epsilon, expected) in [
            (0.0, [0.25, 0.25, 0.25, 0.25]),
            (1.0, [1.0, 0.0, 0.0, 0.0]),
            (0.5, [0.625, 0.25, 0.09375, 0.03125]), // 1/2 + 1/8; 3/8 (1/2 + 1/6); 1/8 (1/2 + 1/4); the rest
        ] {
            for (found, expected) in frequencies(4, epsilon).iter().zip(expected) {
                assert!((found - expected).abs() < 0.01, "{epsilon}: {found} against {expected}");
            }
        }
        assert_eq!(draw(1, 0.3, &mut stream(1, Purpose::Playout, 0)), 0);
    }
}
