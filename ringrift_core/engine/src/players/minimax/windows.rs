//! What a search says of a move within a window, whatever its table holds from others: alpha-beta's contract, of which the
//! root's own windows use a part.

use crate::board::{Board, Geometry, Hex8, Square8};
use crate::moves::{Move, MoveKind};
use crate::players::budget::{Budget, Meter};
use crate::players::linear::Linear;
use crate::players::values::WON;
use crate::playout::Random;
use crate::rng::{stream, Purpose};
use crate::state::State;

use super::known_answers::{after_move, hero_aim, judge, legal, positions, settings, setup, Plain, NEVER};
use super::quiescence::UNPROVEN;
use super::search::{Node, Search};
use super::settings::{Settings, Variant};
use super::table::Table;

/// Some moves of a position, a swap always among them, each asked for through many windows: one search, whose table holds
/// what all earlier windows left there. Fail-soft: inside of the window the value is exact, outside it is a bound that
/// lies on the right side of the window.
fn check_windows<G: Geometry>(state: &State<G>, settings: &Settings, depth: u32, random: &mut Random) {
    let (list, seat) = (legal(state), state.mover());
    let mut some: Vec<Move> = (0..4).map(|_| list[random.below(list.len())]).collect();
    some.extend(list.iter().filter(|one| one.kind() == MoveKind::SwapSides));
    let unaided = Settings { table: false, ..*settings };
    let exact: Vec<f32> = some.iter().map(|one| after_move(&judge(), state, &unaided, *one, depth)[seat]).collect();
    let judge = judge();
    let mut search = Search::new(&judge, settings, Meter::start(&Budget::default(), &NEVER), Table::new());
    for _ in 0..24 {
        let asked = random.below(some.len());
        let (one, value) = (some[asked], exact[asked]);
        // The bounds that a root search would set are other moves' values; those close by are the most telling.
        // All lie between a loss and a win: a search that has a win already asks for nothing more.
        let mut bound = || {
            let near = exact[random.below(exact.len())] + [-3.0, -0.1, 0.0, 0.1, 3.0][random.below(5)];
            near.clamp(UNPROVEN * -WON, UNPROVEN * WON)
        };
        let (one_bound, other_bound) = (bound(), bound());
        let (alpha, beta) = match random.below(3) {
            0 => (one_bound, f32::INFINITY),
            1 => (f32::NEG_INFINITY, one_bound),
            _ => (one_bound.min(other_bound), one_bound.max(other_bound)),
        };
        let node = Node { aim: hero_aim(state, settings), ply: 0, depth, alpha, beta };
        let found = search.below(state, Some(one), node)[seat];
        let right = match value {
            _ if value <= alpha => (value..=alpha).contains(&found),
            _ if value >= beta => (beta..=value).contains(&found),
            _ => found == value,
        };
        assert!(right, "{found} for {value} between {alpha} and {beta}, depth {depth}, {:?}", settings.variant);
    }
}

#[test]
fn a_window_bounds_the_error_whatever_the_table_holds() {
    for (players, variant, games) in
        [(2, Variant::Paranoid, 2), (3, Variant::Paranoid, 1), (3, Variant::BestReply, 1), (4, Variant::BestReply, 1)]
    {
        let settings = settings(variant);
        for game in 0..games {
            let mut random = stream(23, Purpose::Playout, game);
            for state in positions::<Hex8>(setup(Board::Hex8, players), 22, game).iter().step_by(9) {
                (2..=3).for_each(|depth| check_windows(state, &settings, depth, &mut random));
            }
            for state in positions::<Square8>(setup(Board::Square8, players), 22, game).iter().step_by(9) {
                (2..=3).for_each(|depth| check_windows(state, &settings, depth, &mut random));
            }
        }
    }
}

#[test]
fn a_window_is_that_of_the_same_agent_below_a_swap() {
    let settings = settings(Variant::BEST);
    let mut offered = 0;
    for game in 0..30 {
        let mut random = stream(24, Purpose::Playout, game);
        for state in positions::<Hex8>(setup(Board::Hex8, 2), 25, game).iter().take(8) {
            if legal(state).iter().any(|one| one.kind() == MoveKind::SwapSides) {
                offered += 1;
                (2..=3).for_each(|depth| check_windows(state, &settings, depth, &mut random));
            }
        }
    }
    assert!(offered >= 20, "{offered}");
}

/// Where two moves are worth the same to the mover, what they leave to the others differs: the first counts. Coarse weights
/// make such ties common, a forced loss does with any.
#[test]
fn max_n_takes_the_first_of_equal_moves() {
    let judge = Linear::of_setting("material").expect("documented");
    let settings = settings(Variant::MaxN);
    let mut compared = 0;
    for game in 0..6 {
        let players = 3 + (game % 2) as usize;
        for state in positions::<Hex8>(setup(Board::Hex8, players), 26, game).iter().step_by(5) {
            let list = legal(state);
            for one in list.iter().step_by(1 + list.len() / 4) {
                for depth in 1..=4 {
                    let Some(plain) = Plain::solve_move(&judge, &settings, state, *one, depth, 4_000) else { break };
                    assert_eq!(after_move(&judge, state, &settings, *one, depth), plain, "game {game}, depth {depth}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 500, "{compared}");
}
