//! The linear heuristic: a weighted sum of features, own minus the mean of the others'.

use crate::board::{Board, Geometry, MAX_PLAYERS};
use crate::players::calibration::Calibration;
use crate::players::features::{FEATURES, FEATURE_COUNT};
use crate::players::judge::Judge;
use crate::players::values::Values;
use crate::setup::Setup;
use crate::state::State;

/// Weights in the order of `FEATURES`.
pub type Weights = [f32; FEATURE_COUNT];

/// The hand-set weights, one setting for all boards: what trained ones have to beat. Round numbers, chosen by matches on
/// all four boards; those at 0 are left to training.
pub const BASELINE: [(&str, f32); FEATURE_COUNT] = [
    ("rings_in_hand", 3.0),
    ("stacks", 2.0),
    ("stack_height", 0.0),
    ("cap_height", 1.0),
    ("tallest_cap", 0.0),
    ("captive_rings", 0.0),
    ("buried_rings", -1.0),
    ("elimination", 4.0),
    ("elimination_race", 4.0),
    ("territory", 8.0),
    ("territory_race", 4.0),
    ("markers", 2.0),
    ("lines_short_by_one", 0.5),
    ("lines_short_by_two", 2.0),
    ("mobility", 4.0),
    ("attack", 0.0),
    ("threatened", -0.5),
    ("hanging", -4.0),
    ("recoverable", 0.0),
    ("stuck", -3.0),
];

/// Only material counts: rings in hand, stacks and their height, eliminations and territory. A weak setting that leaves
/// room to learn.
pub const MATERIAL: [(&str, f32); 5] =
    [("rings_in_hand", 1.0), ("stacks", 1.0), ("stack_height", 1.0), ("elimination", 1.0), ("territory", 1.0)];

/// The weights of a documented setting, `baseline` or `material`.
pub fn setting(name: &str) -> Option<Weights> {
    let named: &[(&str, f32)] = match name {
        "baseline" => &BASELINE,
        "material" => &MATERIAL,
        _ => return None,
    };
    let mut weights = [0.0; FEATURE_COUNT];
    for (feature, weight) in named {
        weights[FEATURES.iter().position(|(name, _)| name == feature)?] = *weight;
    }
    Some(weights)
}

/// The judge by these weights.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Linear {
    pub weights: Weights,
}

impl Linear {
    /// By the weights of a documented setting.
    pub fn of_setting(name: &str) -> Option<Linear> {
        setting(name).map(|weights| Linear { weights })
    }
}

impl Judge for Linear {
    /// Nothing is kept: features are counted anew.
    type Desk<G: Geometry> = ();

    /// The weighted features of every seat, which sum to 0.
    #[inline]
    fn estimate<G: Geometry>(&self, state: &State<G>, _ply: usize, _desk: &mut ()) -> Values {
        let table = state.features();
        let mut scores = [0.0; MAX_PLAYERS];
        for (score, row) in scores.iter_mut().zip(&table) {
            *score = row.iter().zip(&self.weights).map(|(feature, weight)| feature * weight).sum();
        }
        let players = state.players();
        let total: f32 = scores[..players].iter().sum();
        let mut values = [0.0; MAX_PLAYERS];
        for seat in 0..players {
            values[seat] = scores[seat] - (total - scores[seat]) / (players - 1) as f32;
        }
        values
    }

    /// The calibration of games of this board and number of players.
    ///
    /// Fitted by benchmarks/ladder/calibrate.py: the scale to the outcomes of heuristic games, the temperature to the moves of
    /// rung 5. Where a fit of a large board was no better on games of another seed, the number of the small board of its shape
    /// stands (docs/players.md).
    fn calibration(&self, setup: &Setup) -> Calibration {
        let by_players = match setup.board() {
            Board::Square8 => [(32.0, 0.6), (64.0, 1.4), (52.0, 1.1)],
            Board::Square19 => [(32.0, 0.055), (64.0, 1.4), (10.7, 0.06)],
            Board::Hex8 => [(26.0, 0.9), (36.0, 1.05), (28.0, 0.9)],
            Board::Hexagonal => [(10.2, 0.08), (12.5, 1.05), (8.7, 0.04)],
        };
        let (scale, temperature) = by_players[setup.players() - 2];
        Calibration { scale, temperature }
    }

    fn leaf_calibration(&self, _setup: &Setup) -> Calibration {
        LEAF
    }

    fn noise_unit(&self) -> f32 {
        1.0
    }
}

/// Sharper than the odds that evaluations deserve: a tree search has to tell its leaves apart (docs/players.md).
const LEAF: Calibration = Calibration { scale: 2.0, temperature: 0.4 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Hex8;
    use crate::moves::MoveList;
    use crate::players::judge::Sight;
    use crate::players::values::{decided_values, WON};
    use crate::rng::{stream, Purpose};
    use crate::setup::Profile;

    #[test]
    fn settings_name_known_features_only() {
        for (name, named) in [("baseline", &BASELINE[..]), ("material", &MATERIAL[..])] {
            let weights = setting(name).expect("a documented setting");
            let expected: f32 = named.iter().map(|(_, weight)| weight.abs()).sum();
            assert_eq!(weights.iter().map(|weight| weight.abs()).sum::<f32>(), expected);
        }
        assert!(setting("champion").is_none());
    }

    #[test]
    fn values_of_all_seats_cancel_out_until_the_end_names_the_winner() {
        let judge = Linear::of_setting("baseline").expect("documented");
        let mut sight = Sight::of(&judge);
        let setup = Setup::new(Board::Hex8, 3, Profile::Canonical).expect("three players play");
        for game in 0..20 {
            let mut random = stream(5, Purpose::Playout, game);
            let mut state = State::<Hex8>::new(setup);
            let mut list = MoveList::new();
            loop {
                let values = sight.values(&state, 0);
                match (state.outcome(), decided_values(&state)) {
                    (Some(outcome), _) => {
                        assert_eq!(values[outcome.winner], WON);
                        assert!((0..3).all(|seat| seat == outcome.winner || values[seat] <= -WON / 2.0));
                        break;
                    }
                    (None, Some(_)) => assert_eq!(values[state.mover()], WON),
                    (None, None) => assert!(values.iter().sum::<f32>().abs() < 1e-3, "{values:?}"),
                }
                state.legal_moves(&mut list);
                state.apply(list[random.below(list.len())]);
            }
        }
    }
    #[test]
    fn every_configuration_has_a_scale_and_a_temperature() {
        let judge = Linear::of_setting("baseline").expect("documented");
        for (board, players) in Board::ALL.into_iter().flat_map(|board| (2..=4).map(move |players| (board, players))) {
            let setup = Setup::new(board, players, Profile::Canonical).expect("playable");
            let Calibration { scale, temperature } = judge.calibration(&setup);
            assert!(scale > 0.0 && temperature > 0.0 && temperature < scale);
        }
    }
}
