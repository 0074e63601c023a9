//! Judges that have to be asked: decisions that stop where they need an answer, so that those of many games ask together.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::choice::{best_by, Choice};
use crate::players::decision::{Answer, Inquiry, Next, Situation, Wish};
use crate::players::forced::settle;
use crate::players::mcts::{self, Evaluation, LeafJudge, Prior};
use crate::players::values::{certain, decided_values, seat_after};
use crate::state::State;

/// The judge that is evaluator number `evaluator` of a run: a network, say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    pub evaluator: usize,
}

/// It says nothing of a leaf before it is asked.
impl<G: Geometry> LeafJudge<G> for Asked {
    fn evaluate(&mut self, _leaf: &State<G>, _legal: &[Move], _list: &mut MoveList) -> Option<Evaluation> {
        None
    }
}

/// How far a decision that asks has come, beside what its search keeps in the agent's memory.
#[derive(Default)]
pub struct Thought {
    begun: bool,
    /// Of one ply: what is known after each move.
    afterstates: Vec<Afterstate>,
    answers: Vec<Answer>,
}

impl Thought {
    /// Takes the answers to what was asked, one for each position.
    pub fn receive(&mut self, answers: Vec<Answer>) {
        self.answers = answers;
    }

    /// Is this the first step?
    fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.begun, true)
    }

    /// Asks for the positions after all moves at once, and takes the best of them.
    pub fn one_ply<G: Geometry>(&mut self, judge: &Asked, noise: f32, situation: Situation<'_, G>) -> Next<G> {
        if self.begins() {
            let (positions, afterstates) = look_ahead(situation.state, situation.legal);
            self.afterstates = afterstates;
            if !positions.is_empty() {
                return Next::Ask(Inquiry { evaluator: judge.evaluator, positions, policy: Wish::No });
            }
        }
        let chances: Vec<f32> = self.afterstates.iter().map(|after| after.chance(&self.answers)).collect();
        Next::Decided(Choice::unsearched(best_by(&chances, noise, situation.random)))
    }

    /// Asks for the position itself, and goes by the policy.
    pub fn by_policy<G: Geometry>(&mut self, judge: &Asked, noise: f32, situation: Situation<'_, G>) -> Next<G> {
        if self.begins() {
            let positions = vec![*situation.state];
            return Next::Ask(Inquiry { evaluator: judge.evaluator, positions, policy: Wish::Needed });
        }
        let mut logits = self.answers.pop().and_then(|answer| answer.logits).unwrap_or_default();
        let draws = mcts::gumbel_draws(logits.len(), noise, situation.random);
        logits.iter_mut().zip(draws).for_each(|(logit, draw)| *logit += draw);
        Next::Decided(Choice::unsearched(best_by(&logits, 0.0, situation.random)))
    }

    /// Searches, asking for one leaf at a time.
    pub fn tree_search<G: Geometry>(
        &mut self,
        judge: &Asked,
        settings: mcts::Settings,
        situation: Situation<'_, G>,
    ) -> Next<G> {
        let search = situation.memory.mcts();
        if self.begins() {
            search.begin(situation.state, situation.legal, settings, situation.random);
        }
        for Answer { values, logits } in self.answers.drain(..) {
            let prior = logits.map_or(Prior::Uniform, Prior::Policy);
            search.receive(Evaluation { values, prior, winning: None, nodes: 0 });
        }
        match search.advance(&mut judge.clone(), situation.stopped) {
            Some(leaf) => {
                let policy = Wish::IfThereIsOne;
                Next::Ask(Inquiry { evaluator: judge.evaluator, positions: vec![leaf], policy })
            }
            None => Next::Decided(search.choice()),
        }
    }
}

/// What is known of the position after a move before a network is asked.
enum Afterstate {
    /// The deciding agent's chance where the game is decided.
    Known(f32),
    /// Number of the position in the inquiry, and the seat of the deciding agent there.
    Asked(usize, usize),
}

impl Afterstate {
    /// The deciding agent's chance, given the answers to the inquiry.
    fn chance(&self, answers: &[Answer]) -> f32 {
        match self {
            Afterstate::Known(chance) => *chance,
            Afterstate::Asked(position, seat) => answers[*position].values[*seat],
        }
    }
}

/// The positions after each legal move, settled: bookkeeping is played, so that the network sees somebody decide.
fn look_ahead<G: Geometry>(state: &State<G>, legal: &[Move]) -> (Vec<State<G>>, Vec<Afterstate>) {
    let mut positions = Vec::new();
    let mut list = MoveList::new();
    let mut after = |one: &Move| {
        let seat = seat_after(state, *one);
        let mut state = *state;
        state.apply(*one);
        settle(&mut state, &mut list);
        match decided_values(&state) {
            Some(values) => Afterstate::Known(certain(&values)[seat]),
            None => {
                positions.push(state);
                Afterstate::Asked(positions.len() - 1, seat)
            }
        }
    };
    let afterstates = legal.iter().map(&mut after).collect();
    (positions, afterstates)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::board::{Board, Hex8, MAX_PLAYERS};
    use crate::players::agent::{Agent, AnyJudge, Search};
    use crate::players::budget::Budget;
    use crate::players::known_answers::legal;
    use crate::players::mcts::{Settings, Variant};
    use crate::players::memory::Memory;
    use crate::playout::Random;
    use crate::setup::{Profile, Setup};

    /// What an agent decides at the start by a network that finds all seats alike, and whose policy is all on the move
    /// that `favourite` picks of a position's; and the positions that it asked for.
    fn decide(search: Search, favourite: impl Fn(&[Move]) -> usize) -> (usize, Vec<State<Hex8>>) {
        let agent = Agent::new(search, AnyJudge::Asked(Asked { evaluator: 3 })).expect("it can wait");
        let state = State::new(Setup::new(Board::Hex8, 2, Profile::Canonical).expect("playable"));
        let (mut random, mut memory, stopped) = (Random::new(1), Memory::default(), AtomicBool::new(false));
        let (legal_now, mut thought, mut asked) = (legal(&state), Thought::default(), Vec::new());
        loop {
            let (random, memory, legal_now) = (&mut random, &mut memory, &legal_now);
            let situation = Situation { state: &state, legal: legal_now, random, memory, stopped: &stopped };
            let Inquiry { evaluator, positions, policy } = match agent.think(&mut thought, situation) {
                Next::Decided(choice) => return (choice.index, asked),
                Next::Ask(inquiry) => inquiry,
            };
            assert_eq!((evaluator, policy > Wish::No), (3, !matches!(search, Search::OnePly { .. })));
            let answer = |position: &State<Hex8>| {
                let moves = legal(position);
                let mut logits = vec![0.0; moves.len()];
                logits[favourite(&moves)] = 12.0;
                let mut values = [0.0; MAX_PLAYERS];
                values[..2].fill(0.5);
                Answer { values, logits: Some(logits) }
            };
            thought.receive(positions.iter().map(answer).collect());
            asked.extend(positions);
        }
    }

    fn tree(variant: Variant) -> Search {
        Search::Tree(Settings { variant, budget: Budget::of_simulations(24), noise: 0.0, fast: None })
    }

    #[test]
    fn a_policy_all_on_one_move_is_followed_at_the_root_and_below() {
        for variant in [Variant::Puct, Variant::Gumbel { considered: 2 }] {
            for favourite in [5, 40] {
                let (chosen, asked) = decide(tree(variant), |moves| favourite % moves.len());
                assert_eq!(chosen, favourite, "{variant:?}");
                // Turns of a game begun take some three decisions each: a line, and no broad tree.
                let furthest = asked.iter().map(|state| state.turn.number).max();
                assert!(furthest >= Some(3), "{variant:?} got as far as turn {furthest:?}");
            }
        }
    }

    #[test]
    fn a_player_by_policy_asks_once_for_its_position_and_plays_the_most_likely_move() {
        for favourite in [0, 7, 60] {
            let (chosen, asked) = decide(Search::Policy { noise: 0.0 }, |_| favourite);
            assert_eq!((chosen, asked.len()), (favourite, 1));
        }
    }

    #[test]
    fn one_ply_asks_for_the_positions_after_all_moves_at_once() {
        let (chosen, asked) = decide(Search::OnePly { noise: 0.0 }, |moves| 9 % moves.len());
        assert_eq!(chosen, 0, "all are alike, whatever a policy says");
        assert!(asked.len() > 60 && asked.iter().all(|state| state.turn.number <= 2));
    }

    #[test]
    fn a_search_that_cannot_wait_takes_no_judge_that_has_to_be_asked() {
        let budget = Budget::of_nodes(10);
        let asked = AnyJudge::Asked(Asked { evaluator: 0 });
        let refused = Agent::new(Search::Minimax { variant: None, budget, noise: 0.0 }, asked).expect_err("refused");
        assert!(refused.to_string().contains("minimax and descent cannot wait for"), "{refused}");
    }
}
