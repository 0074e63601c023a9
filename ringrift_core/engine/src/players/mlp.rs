//! A small network over the features of the linear heuristic as a judge: no accumulators, whole evaluations each time.
//!
//! A seat's logit is a hidden layer's over its own features, the mean of the others', and how many turns after the mover's
//! its own comes; all seats share it. The sums are of float32 in one fixed order, so every machine has the same.

use std::fmt;
use std::sync::Arc;

use crate::board::{Geometry, MAX_PLAYERS};
use crate::error::Error;
use crate::players::calibration::Calibration;
use crate::players::features::FEATURE_COUNT;
use crate::players::judge::Judge;
use crate::players::tensors::{Configuration, Tensors, Units};
use crate::players::values::Values;
use crate::setup::Setup;
use crate::state::{Phase, State};

/// Numbers in the hidden layer.
pub const HIDDEN: usize = 32;

type Layer = [f32; HIDDEN];

/// Places of a seat: by how many turns after the mover's its own comes, whether a turn begins.
pub const fn places(players: usize) -> usize {
    2 * players
}

/// What a network consists of.
struct Parameters {
    configuration: Configuration,
    units: Units,
    own: [Layer; FEATURE_COUNT],
    others: [Layer; FEATURE_COUNT],
    /// Biases of the hidden layer, by place.
    places: Vec<Layer>,
    output: Layer,
}

/// The judge by a network of one configuration.
#[derive(Clone)]
pub struct Mlp(Arc<Parameters>);

impl Mlp {
    /// That of a file's content; an error that names the place when it is none, or one for another engine.
    pub fn read(content: &[u8]) -> Result<Mlp, Error> {
        let file = Tensors::read(content)?;
        file.expect("kind", "mlp")?;
        file.expect("format", "1")?;
        let configuration = file.configuration()?;
        let layers = |name: &str, rows: usize| -> Result<Vec<Layer>, Error> {
            let numbers: Vec<f32> = file.numbers(name, &[rows, HIDDEN])?;
            if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
                return Err(Error::new(name, format!("{number} is not a number")));
            }
            Ok(numbers.chunks_exact(HIDDEN).map(|row| std::array::from_fn(|place| row[place])).collect())
        };
        let features = |name: &str| -> Result<[Layer; FEATURE_COUNT], Error> {
            let rows = layers(name, FEATURE_COUNT)?;
            Ok(std::array::from_fn(|row| rows[row]))
        };
        Ok(Mlp(Arc::new(Parameters {
            configuration,
            units: file.units()?,
            own: features("own")?,
            others: features("others")?,
            places: layers("places", places(configuration.players))?,
            output: layers("output", 1)?[0],
        })))
    }

    /// The games that it judges.
    pub fn configuration(&self) -> Configuration {
        self.0.configuration
    }
}

impl fmt::Debug for Mlp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<mlp {}>", self.0.configuration)
    }
}

impl PartialEq for Mlp {
    fn eq(&self, other: &Mlp) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Judge for Mlp {
    /// Nothing is kept: features are counted anew.
    type Desk<G: Geometry> = ();

    fn estimate<G: Geometry>(&self, state: &State<G>, _ply: usize, _desk: &mut ()) -> Values {
        let (parameters, players, table) = (&*self.0, state.players(), state.features());
        assert_eq!(parameters.configuration.players, players, "a network judges its own games");
        let mut totals = [0.0; FEATURE_COUNT];
        for row in &table[..players] {
            totals.iter_mut().zip(row).for_each(|(total, feature)| *total += feature);
        }
        let begun = (state.phase != Phase::RingPlacement) as usize;
        let mut logits = [0.0; MAX_PLAYERS];
        for (seat, row) in table.iter().enumerate().take(players) {
            let place = (seat + players - state.mover()) % players;
            let mut hidden = parameters.places[2 * place + begun];
            for (feature, value) in row.iter().enumerate() {
                let of_others = (totals[feature] - value) / (players - 1) as f32;
                let (own, others) = (&parameters.own[feature], &parameters.others[feature]);
                for (unit, sum) in hidden.iter_mut().enumerate() {
                    *sum += value * own[unit] + of_others * others[unit];
                }
            }
            // Eight sums side by side, so that vectors may be used, in an order that is the same without.
            let mut sums = [0.0; 8];
            for (unit, value) in hidden.iter().enumerate() {
                sums[unit % 8] += value.max(0.0) * parameters.output[unit];
            }
            logits[seat] = sums.iter().sum();
        }
        let mean = logits[..players].iter().sum::<f32>() / players as f32;
        let mut values = [0.0; MAX_PLAYERS];
        for (value, logit) in values.iter_mut().zip(logits).take(players) {
            *value = logit - mean;
        }
        values
    }

    fn calibration(&self, _: &Setup) -> Calibration {
        self.0.units.calibration
    }

    fn leaf_calibration(&self, _: &Setup) -> Calibration {
        self.0.units.leaf_calibration
    }

    fn noise_unit(&self) -> f32 {
        self.0.units.noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Square8;
    use crate::players::known_answers::decisions_of_random_game;
    use crate::players::tensors::tests::{file, Tensor};
    use crate::setup::Profile;

    fn bytes(numbers: impl Iterator<Item = f32>) -> Vec<u8> {
        numbers.flat_map(f32::to_le_bytes).collect()
    }

    /// The hidden layer's first unit is 100 plus a feature, its own less the mean of the others', times a weight.
    fn of_one_feature(feature: usize, weight: f32, players: usize) -> Vec<u8> {
        let only = |weight: f32| {
            let number = move |place| if place == feature * HIDDEN { weight } else { 0.0 };
            bytes((0..FEATURE_COUNT * HIDDEN).map(number))
        };
        let rows = places(players);
        let first = |value: f32, count: usize| {
            bytes((0..count).map(move |place| if place % HIDDEN == 0 { value } else { 0.0 }))
        };
        let tensors: [Tensor; 4] = [
            ("own", "F32", vec![FEATURE_COUNT, HIDDEN], only(weight)),
            ("others", "F32", vec![FEATURE_COUNT, HIDDEN], only(-weight)),
            ("places", "F32", vec![rows, HIDDEN], first(100.0, rows * HIDDEN)),
            ("output", "F32", vec![1, HIDDEN], first(1.0, HIDDEN)),
        ];
        file("mlp", Configuration { board: crate::board::Board::Square8, players }, &tensors)
    }

    #[test]
    fn a_network_of_one_feature_has_the_values_of_the_linear_heuristic() {
        for players in 2..=4 {
            let feature = 14;
            let judge = Mlp::read(&of_one_feature(feature, 3.0, players)).expect("a network");
            let mut weights = [0.0; FEATURE_COUNT];
            weights[feature] = 3.0;
            let linear = crate::players::linear::Linear { weights };
            let setup = Setup::new(judge.configuration().board, players, Profile::Canonical).expect("playable");
            for state in decisions_of_random_game::<Square8>(setup, 3) {
                let (found, expected) = (judge.estimate(&state, 0, &mut ()), linear.estimate(&state, 0, &mut ()));
                let close = found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-3);
                assert!(close, "{found:?} {expected:?}");
            }
        }
    }

    #[test]
    fn a_file_with_numbers_that_are_none_is_refused() {
        let fault = Mlp::read(&of_one_feature(3, f32::NAN, 2)).map(drop).map_err(|error| error.to_string());
        assert_eq!(fault, Err("own: NaN is not a number".into()));
    }
}
