//! What a network says of a position belongs to the position's moves and seats, on the way there and back.

use crate::board::{Board, Hex8};
use crate::drivers::choose::choose;
use crate::drivers::host::{Evaluated, Host, Take};
use crate::encoding::frame::Frame;
use crate::encoding::policy::keys;
use crate::encoding::Shape;
use crate::players::asked::Asked;
use crate::players::budget::Budget;
use crate::players::decision::Wish;
use crate::players::known_answers::{decisions_of_random_game, legal};
use crate::players::mcts::{Settings, Variant};
use crate::players::{Agent, AnyJudge, Search};
use crate::playout::Random;
use crate::records::game::GameRecord;
use crate::setup::{Profile, Setup};

/// Says the same of every position.
struct Network {
    values: Vec<f32>,
    policy: Vec<f32>,
}

impl Host<()> for Network {
    fn evaluate(
        &mut self,
        _: usize,
        rows: usize,
        _: Vec<f32>,
        _: Vec<f32>,
        policy: Wish,
        take: Take<'_>,
    ) -> Result<(), ()> {
        let policy = (policy > Wish::No).then(|| self.policy.repeat(rows));
        take(Evaluated { values: &self.values.repeat(rows), policy: policy.as_deref() });
        Ok(())
    }

    fn receive(&mut self, _: Vec<(usize, GameRecord)>) -> Result<bool, ()> {
        Ok(true)
    }
}

fn tree(variant: Variant) -> Search {
    Search::Tree(Settings { variant, budget: Budget::of_simulations(16), noise: 0.0, fast: None })
}

#[test]
fn a_policy_all_on_the_keys_of_one_move_is_followed() {
    let setup = Setup::new(Board::Hex8, 3, Profile::Canonical).expect("playable");
    let searches = [Search::Policy { noise: 0.0 }, tree(Variant::Puct), tree(Variant::Gumbel { considered: 16 })];
    for state in decisions_of_random_game::<Hex8>(setup, 4).iter().skip(20).step_by(7) {
        let moves = legal(state);
        let wanted = moves.len() * 2 / 3;
        let mut policy = vec![0.0; Shape::of(Board::Hex8, 3).policy];
        keys(state, moves[wanted], Frame::identity(Board::Hex8)).iter().for_each(|key| policy[usize::from(*key)] = 9.0);
        for search in searches {
            let agent = Agent::new(search, AnyJudge::Asked(Asked { evaluator: 0 })).expect("it can wait");
            let mut network = Network { values: vec![1.0 / 3.0; 3], policy: policy.clone() };
            let choice = choose(state, &moves, &agent, &mut Random::new(1), &mut network).expect("it answers");
            let won = choice.found.is_some_and(|found| found.values.contains(&1.0));
            assert!(choice.index == wanted || won, "{search:?}: {} instead of {wanted}", choice.index);
        }
    }
}
