//! Known answers.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::board::{Board, Hex8};
use crate::drivers::rng::{stream, Purpose};
use crate::moves::MoveList;
use crate::players::heuristic::setting;
use crate::players::memory::Memory;
use crate::players::Player;
use crate::setup::{Profile, Setup};
use crate::state::State;

#[test]
fn findings_are_distributions_and_repeat() {
    let weights = setting("baseline").expect("documented");
    for (players, variant) in [(2, Variant::Puct), (3, Variant::Gumbel { considered: 8 }), (4, Variant::Puct)] {
        let setup = Setup::new(Board::Hex8, players, Profile::Canonical).expect("playable");
        let settings = Settings { variant, budget: Budget::of_simulations(24), noise: 0.25 };
        let player = Player::Mcts { weights, settings };
        let play = || {
            let mut random = stream(3, Purpose::Playout, players as u64);
            let mut memory = Memory::Empty;
            let mut state = State::<Hex8>::new(setup);
            let mut list = MoveList::new();
            let mut moves = Vec::new();
            for _ in 0..12 {
                crate::players::play_forced(&mut state, &mut list);
                if list.is_empty() {
                    break;
                }
                let choice = player.choose(&state, &list, &mut random, &AtomicBool::new(false), &mut memory);
                let found = choice.found.expect("searched");
                assert_eq!(found.policy.len(), list.len());
                assert!((found.policy.iter().sum::<f32>() - 1.0).abs() < 1e-4);
                assert!((found.values.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{:?}", found.values);
                memory.decided(list[choice.index]);
                moves.push(list[choice.index]);
                state.apply(list[choice.index]);
            }
            moves
        };
        assert_eq!(play(), play());
    }
}
