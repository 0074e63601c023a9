//! The linear heuristic: a weighted sum of features, own minus the mean of the others'.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::moves::{Move, MoveKind};
use crate::players::features::{FEATURES, FEATURE_COUNT};
use crate::state::State;

/// Weights in the order of `FEATURES`.
pub type Weights = [f32; FEATURE_COUNT];

/// One value per seat, higher is better for it; 0 beyond the number of players.
pub type Values = [f32; MAX_PLAYERS];

/// Value of a won game; far beyond any evaluation of a game that goes on.
pub const WON: f32 = 1000.0;

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
/// room to learn; the quickstart begins here.
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

/// The value of every seat: the outcome where the game is over or decided, the weighted features elsewhere.
pub fn values<G: Geometry>(state: &State<G>, weights: &Weights) -> Values {
    decided_values(state).unwrap_or_else(|| estimated_values(state, weights))
}

/// The weighted features of every seat, whether or not the game is decided.
pub fn estimated_values<G: Geometry>(state: &State<G>, weights: &Weights) -> Values {
    let table = state.features();
    let mut scores = [0.0; MAX_PLAYERS];
    for (score, row) in scores.iter_mut().zip(&table) {
        *score = row.iter().zip(weights).map(|(feature, weight)| feature * weight).sum();
    }
    let players = state.players();
    let total: f32 = scores[..players].iter().sum();
    let mut values = [0.0; MAX_PLAYERS];
    for seat in 0..players {
        values[seat] = scores[seat] - (total - scores[seat]) / (players - 1) as f32;
    }
    values
}

/// Values of a game that is over, or will be when the mover's turn ends because a target is met (R170, R171): only the
/// mover can newly meet one, and nothing in the rest of the turn takes it back.
pub fn decided_values<G: Geometry>(state: &State<G>) -> Option<Values> {
    let players = state.players();
    let mut values = [0.0; MAX_PLAYERS];
    if let Some(outcome) = state.outcome() {
        for (seat, value) in values.iter_mut().enumerate().take(players) {
            let rank = outcome.ranks[seat] as f32;
            *value = if seat == outcome.winner { WON } else { -WON * (rank - 1.0) / (players - 1) as f32 };
        }
        return Some(values);
    }
    let mover = state.mover();
    if !has_met_a_target(state, mover) {
        return None;
    }
    values[..players].fill(-WON);
    values[mover] = WON;
    Some(values)
}

fn has_met_a_target<G: Geometry>(state: &State<G>, seat: usize) -> bool {
    let players = state.players();
    let territory = state.territory[seat] as u32;
    let others: u32 = state.territory[..players].iter().map(|cells| *cells as u32).sum::<u32>() - territory;
    state.credited[seat] as u32 >= G::BOARD.elimination_target(players)
        || territory >= G::BOARD.territory_minimum(players) && territory > others
}

/// Values below a move, in the seats above it.
#[inline]
pub fn across(one: Move, mut values: Values) -> Values {
    if one.kind() == MoveKind::SwapSides {
        values.swap(0, 1);
    }
    values
}

/// The seat at which the mover's agent sits after the move: `swap_sides` exchanges agents, not pieces (section 10).
#[inline]
pub fn seat_after<G: Geometry>(state: &State<G>, one: Move) -> usize {
    if one.kind() == MoveKind::SwapSides {
        1 - state.mover()
    } else {
        state.mover()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8};
    use crate::moves::MoveList;
    use crate::rng::{stream, Purpose};
    use crate::setup::{Profile, Setup};

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
        let weights = setting("baseline").expect("documented");
        let setup = Setup::new(Board::Hex8, 3, Profile::Canonical).expect("three players play");
        for game in 0..20 {
            let mut random = stream(5, Purpose::Playout, game);
            let mut state = State::<Hex8>::new(setup);
            let mut list = MoveList::new();
            loop {
                let values = values(&state, &weights);
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
}
