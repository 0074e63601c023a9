//! From evaluations to probabilities (training.md): a softmax over seats, whose scale is fitted to outcomes, and a softmax
//! over moves, whose temperature sharpens or softens the policy that training is given.

use crate::board::MAX_PLAYERS;
use crate::players::values::{Values, WON};

/// A search is so much surer of its moves than the judge is at first sight, to whose evaluations temperatures are fitted:
/// by what it teaches a network (results/README.md).
const SURER: f32 = 4.0;

/// What turns a judge's evaluations of one configuration into probabilities.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Calibration {
    /// Evaluation by which odds grow by a factor of e.
    pub scale: f32,
    /// Evaluation by which one move is e times as likely as another.
    pub temperature: f32,
}

impl Calibration {
    /// Win probability of each of `players` seats; 0 beyond them. A decided game gives 1 and 0.
    pub fn probabilities(&self, values: &Values, players: usize) -> Values {
        let mut shares = [0.0; MAX_PLAYERS];
        match values[..players].iter().position(|value| *value >= WON) {
            Some(winner) => shares[winner] = 1.0,
            None => softmax(&values[..players], self.scale, &mut shares[..players]),
        }
        shares
    }

    /// Share of each move, from the mover's evaluations of what follows at once.
    pub fn policy(&self, worths: &[f32]) -> Vec<f32> {
        let mut shares = vec![0.0; worths.len()];
        softmax(worths, self.temperature, &mut shares);
        shares
    }

    /// Share of each move, from what a search has found it to be worth.
    pub fn policy_of_search(&self, worths: &[f32]) -> Vec<f32> {
        Calibration { temperature: self.temperature / SURER, ..*self }.policy(worths)
    }
}

/// Shares in proportion to exp(value / scale); a value of minus infinity has none.
pub fn softmax(values: &[f32], scale: f32, shares: &mut [f32]) {
    let highest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (share, value) in shares.iter_mut().zip(values) {
        *share = ((value - highest) / scale).exp();
    }
    let total: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seats_have_equal_chances_and_a_won_game_is_certain() {
        let calibration = Calibration { scale: 32.0, temperature: 0.6 };
        let equal = calibration.probabilities(&[0.5, 0.5, 0.5, 0.0], 3);
        assert_eq!(equal, [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
        assert_eq!(calibration.probabilities(&[-WON, WON, 0.0, 0.0], 2), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn one_scale_apart_is_a_factor_of_e() {
        let calibration = Calibration { scale: 2.0, temperature: 0.2 };
        let [low, high, ..] = calibration.probabilities(&[0.0, calibration.scale, 0.0, 0.0], 2);
        assert!((high / low - std::f32::consts::E).abs() < 1e-5);
        let policy = calibration.policy(&[1.0, 1.0 + calibration.temperature, f32::NEG_INFINITY]);
        assert!((policy[1] / policy[0] - std::f32::consts::E).abs() < 1e-4);
        assert_eq!(policy[2], 0.0);
        assert!((policy.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let surer = calibration.policy_of_search(&[1.0, 1.0 + calibration.temperature, f32::NEG_INFINITY]);
        assert!((surer[1] / surer[0] / SURER.exp() - 1.0).abs() < 1e-4);
        assert_eq!(surer[2], 0.0);
    }
}
