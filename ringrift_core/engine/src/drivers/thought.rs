//! A decision that asks a network, as a machine that stops where it needs an answer.

use std::sync::atomic::AtomicBool;

use crate::board::Geometry;
use crate::drivers::agent::Agent;
use crate::drivers::inquiry::{look_ahead, Afterstate, Answer, Inquiry};
use crate::moves::{Move, MoveList};
use crate::players::heuristic::Weights;
use crate::players::mcts::{evaluation, Evaluation, Prior, Step};
use crate::players::memory::Memory;
use crate::players::{best_by, Choice};
use crate::playout::Random;
use crate::state::State;

/// What a thought comes to next.
pub enum Next<G: Geometry> {
    /// `receive` takes the answers.
    Ask(Inquiry<G>),
    Decided(Choice),
}

/// A decision under way.
pub enum Thought<G: Geometry> {
    /// The positions after each legal move are asked for once.
    OnePly {
        /// None once it is asked.
        inquiry: Option<Inquiry<G>>,
        afterstates: Vec<Afterstate>,
        answers: Vec<Answer>,
        noise: f32,
    },
    /// The search in the agent's memory, and what the heuristic says of its leaf.
    Search { evaluator: usize, weights: Option<Weights>, heuristic: Option<Evaluation> },
}

impl<G: Geometry> Thought<G> {
    /// The thought that begins a decision, of which `legal` are the moves; None for an agent that decides by itself.
    pub fn begin(
        agent: &Agent,
        state: &State<G>,
        legal: &[Move],
        random: &mut Random,
        memory: &mut Memory<G>,
    ) -> Option<Thought<G>> {
        match agent {
            Agent::Native(_) => None,
            Agent::Network { evaluator, noise } => {
                let (positions, afterstates) = look_ahead(state, legal);
                let inquiry = Some(Inquiry { evaluator: *evaluator, positions });
                Some(Thought::OnePly { inquiry, afterstates, answers: Vec::new(), noise: *noise })
            }
            Agent::Mcts { evaluator, weights, settings } => {
                memory.mcts().begin(state, legal, *settings, random);
                Some(Thought::Search { evaluator: *evaluator, weights: *weights, heuristic: None })
            }
        }
    }

    /// Goes on until a network is asked or the decision is made. A search that is stopped decides by what it has.
    pub fn advance(&mut self, random: &mut Random, memory: &mut Memory<G>, stopped: &AtomicBool) -> Next<G> {
        match self {
            Thought::OnePly { inquiry, afterstates, answers, noise } => match inquiry.take() {
                Some(inquiry) if !inquiry.positions.is_empty() => Next::Ask(inquiry),
                _ => {
                    let chances: Vec<f32> = afterstates.iter().map(|after| after.chance(answers)).collect();
                    Next::Decided(Choice::unsearched(best_by(&chances, *noise, random)))
                }
            },
            Thought::Search { evaluator, weights, heuristic } => {
                let search = memory.mcts();
                let mut list = MoveList::new();
                while search.advance(stopped) == Step::Evaluate {
                    let Some((leaf, legal)) = search.leaf() else { break };
                    let said = weights.map(|weights| evaluation::by_heuristic(leaf, legal, &weights, &mut list));
                    match said {
                        // What is proven needs no asking.
                        Some(proven) if proven.winning.is_some() => search.receive(proven),
                        said => {
                            *heuristic = said;
                            return Next::Ask(Inquiry { evaluator: *evaluator, positions: vec![*leaf] });
                        }
                    }
                }
                Next::Decided(search.choice())
            }
        }
    }

    /// Takes the answers to what was asked, one for each position.
    pub fn receive(&mut self, received: Vec<Answer>, memory: &mut Memory<G>) {
        match self {
            Thought::OnePly { answers, .. } => *answers = received,
            Thought::Search { heuristic, .. } => {
                let said = heuristic.take();
                let nodes = said.as_ref().map_or(0, |said| said.nodes);
                for Answer { values, logits } in received {
                    let prior = match (logits, &said) {
                        (Some(logits), _) => Prior::Policy(logits),
                        (None, Some(said)) => said.prior.clone(),
                        (None, None) => Prior::Uniform,
                    };
                    memory.mcts().receive(Evaluation { values, prior, winning: None, nodes });
                }
            }
        }
    }
}
