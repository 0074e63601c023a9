//! What a turn gains whoever has it, measured in the tree itself, and what that takes off moves that nobody answered yet.
//!
//! At first sight a move is valued as its mover's turn ends. That flatters it: the answer is still to come. A line that was
//! looked into has its answer in it, so without a correction the search turns away from every line that it looks into, to
//! moves it knows nothing of, and never gets deep.

use crate::players::values::{Values, WON};
use crate::state::Phase;

/// How many gains an unanswered move loses. More than 1 makes the search look further along a line before it turns to
/// another; measured against minimax (docs/players.md).
const CAUTION: f32 = 2.5;

/// Who decides next after a move, and in which phase.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    /// In the seats before the move.
    pub seat: usize,
    pub phase: Phase,
}

/// Mean gain of expanded positions, by phase: the mover's value by its best move at first sight, less the value that the
/// position itself had at first sight.
#[derive(Clone, Copy, Default, Debug)]
pub struct Gains([Mean; Phase::ALL.len()]);

#[derive(Clone, Copy, Default, Debug)]
struct Mean {
    sum: f32,
    count: f32,
}

impl Gains {
    /// Counts an expanded position, of which the mover's values are given. Decided ones tell nothing.
    pub fn learn(&mut self, phase: Phase, before: f32, after: f32) {
        if is_estimate(before) && is_estimate(after) {
            let mean = &mut self.0[phase as usize];
            mean.sum += after - before;
            mean.count += 1.0;
        }
    }

    /// The values of a move with what whoever is next will gain, taken from the others in equal parts.
    pub fn anticipate(&self, mut values: Values, next: Next, players: usize) -> Values {
        if !is_estimate(values[next.seat]) {
            return values;
        }
        let mean = self.0[next.phase as usize];
        let gain = CAUTION * mean.sum / mean.count.max(1.0);
        for (seat, value) in values[..players].iter_mut().enumerate() {
            *value += if seat == next.seat { gain } else { -gain / (players - 1) as f32 };
        }
        values
    }
}

fn is_estimate(value: f32) -> bool {
    value.abs() < WON / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: Next = Next { seat: 1, phase: Phase::RingPlacement };

    #[test]
    fn the_mean_gain_goes_to_the_next_seat_and_leaves_the_sum() {
        let mut gains = Gains::default();
        assert_eq!(gains.anticipate([1.0, -0.5, -0.5, 0.0], NEXT, 3), [1.0, -0.5, -0.5, 0.0]);
        gains.learn(Phase::RingPlacement, 1.0, 2.0);
        gains.learn(Phase::RingPlacement, -1.0, 2.0);
        gains.learn(Phase::Movement, 0.0, 9.0);
        let values = gains.anticipate([1.0, -0.5, -0.5, 0.0], NEXT, 3);
        assert_eq!(values, [1.0 - CAUTION, -0.5 + 2.0 * CAUTION, -0.5 - CAUTION, 0.0]);
    }

    #[test]
    fn decided_games_neither_tell_a_gain_nor_take_one() {
        let mut gains = Gains::default();
        gains.learn(Phase::RingPlacement, 1.0, WON);
        gains.learn(Phase::RingPlacement, -WON, 1.0);
        assert_eq!(gains.anticipate([0.0, 0.0, 0.0, 0.0], NEXT, 2), [0.0, 0.0, 0.0, 0.0]);
        gains.learn(Phase::RingPlacement, 0.0, 1.0);
        assert_eq!(gains.anticipate([WON, -WON, 0.0, 0.0], NEXT, 2), [WON, -WON, 0.0, 0.0]);
    }
}
