//! The exact code of states: every field comes back, other bytes are refused.

use super::{games, random_game, setups};
use crate::board::{Board, Geometry};
use crate::encoding::exact::{from_bytes, to_bytes};
use crate::playout::Random;
use crate::setup::{Profile, Setup};
use crate::state::State;
use crate::with_state;
use crate::{with_geometry, MoveList};

/// Every field of the two states, but for the order of deep rings of different stacks, which means nothing.
fn fields<G: Geometry>(state: &State<G>) -> impl PartialEq + std::fmt::Debug {
    let slots = 0..G::BOARD.cells();
    let stacks: Vec<_> = slots
        .map(State::<G>::slot_of)
        .map(|slot| (state.stacks.at(slot), state.stacks.rings(slot).collect::<Vec<_>>()))
        .collect();
    (
        (stacks, state.controlled, state.markers, state.collapsed, state.setup),
        (state.hand, state.credited, state.territory, state.on_board),
        (state.seat, state.phase, state.turn, state.record),
    )
}

fn read_back<G: Geometry>(state: &State<G>) -> Vec<u8> {
    let bytes = to_bytes(state);
    let game = from_bytes(&bytes).unwrap_or_else(|error| panic!("{error}: {}", state.to_json(true)));
    with_state!(&game, read => {
        assert_eq!(format!("{:?}", fields(read)), format!("{:?}", fields(state)));
        assert_eq!(to_bytes(read), bytes);
    });
    bytes
}

#[test]
fn every_field_of_every_state_comes_back() {
    let mut over = 0;
    for setup in setups() {
        for seed in 0..games(setup).min(12) {
            with_geometry!(setup.board(), G => random_game::<G>(setup, seed, |state, legal| {
                read_back(state);
                over += legal.is_empty() as u32;
            }));
        }
    }
    assert!(over > 100, "{over} finished games");
}

#[test]
fn a_square8_state_takes_about_fifty_bytes() {
    let setup = Setup::new(Board::Square8, 2, Profile::Canonical).expect("2 to 4 players");
    let mut sizes = Vec::new();
    for seed in 0..20 {
        random_game::<crate::board::Square8>(setup, seed, |state, _| sizes.push(to_bytes(state).len()));
    }
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!(mean < 60 && sizes.iter().all(|size| *size < 100), "{mean} bytes, {:?} at most", sizes.iter().max());
}

#[test]
fn a_state_cut_short_or_lengthened_is_refused() {
    let setup = Setup::new(Board::Hex8, 3, Profile::Deployed).expect("2 to 4 players");
    let mut state = State::<crate::board::Hex8>::new(setup);
    state.play_randomly(&mut Random::new(4), 60, &mut MoveList::new());
    let bytes = to_bytes(&state);
    for length in 0..bytes.len() {
        let fault = from_bytes(&bytes[..length]).map(drop).expect_err("cut short").to_string();
        assert!(fault.contains("cut short"), "{fault}");
    }
    let longer = [&bytes[..], &[0]].concat();
    let fault = from_bytes(&longer).map(drop).expect_err("a byte too many").to_string();
    assert!(fault.contains("but the state ends at bit"), "{fault}");
}

/// Flipped bits are refused or give another state that is read back as itself, and can be played on.
#[test]
fn broken_bytes_never_panic() {
    let (mut accepted, mut refused) = (0, 0);
    let mut random = Random::new(9);
    for setup in setups() {
        for seed in 0..games(setup).min(4) {
            with_geometry!(setup.board(), G => random_game::<G>(setup, seed, |state, _| {
                let mut bytes = to_bytes(state);
                for _ in 0..1 + random.below(3) {
                    let bit = random.below(8 * bytes.len());
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
                match from_bytes(&bytes) {
                    Ok(mut game) => {
                        accepted += 1;
                        assert_eq!(with_state!(&game, read => to_bytes(read)), bytes, "one code for each state");
                        game.play_randomly(&mut random, 10, &mut MoveList::new());
                    }
                    Err(error) => {
                        refused += 1;
                        assert!(!error.reason().is_empty());
                    }
                }
            }));
        }
    }
    assert!(accepted > 100 && refused > 1000, "{accepted} accepted, {refused} refused");
}
