//! Who can sit at a seat: a search, and the judge that it looks with.

use crate::board::Geometry;
use crate::error::Error;
use crate::players::asked::{Asked, Thought};
use crate::players::budget::Budget;
use crate::players::choice::{Choice, Found};
use crate::players::decision::{Next, Situation};
use crate::players::judge::{Judge, Sight};
use crate::players::linear::Linear;
use crate::players::mlp::Mlp;
use crate::players::nnue::Nnue;
use crate::players::tensors::Configuration;
use crate::players::{descent, mcts, minimax, one_ply};
use crate::rng;
use crate::setup::Setup;

/// What descent's tree takes for each decision that it applies: 66 to 250 MB were measured after a million on square8.
const BYTES_A_NODE: u64 = 200;

/// How an agent decides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Search {
    /// Uniform over legal moves, without a judge.
    Random,
    /// One decision of lookahead; up to this much noise on each move, in the judge's unit.
    OnePly { noise: f32 },
    /// A network's policy at the position as it is, without a search. `noise` scales Gumbel noise on its logits: 0 takes the
    /// most likely move, 1 draws from the policy.
    Policy { noise: f32 },
    /// Minimax within a budget; without a variant, the strongest for the number of players.
    Minimax { variant: Option<minimax::Variant>, budget: Budget, noise: f32 },
    /// Best-first minimax.
    Descent(descent::Settings),
    /// Monte-Carlo tree search.
    Tree(mcts::Settings),
}

/// Any judge.
#[derive(Clone, PartialEq, Debug)]
pub enum AnyJudge {
    Linear(Linear),
    Mlp(Mlp),
    Nnue(Nnue),
    Asked(Asked),
}

impl AnyJudge {
    /// The games that it knows; None: any.
    pub fn configuration(&self) -> Option<Configuration> {
        match self {
            AnyJudge::Mlp(judge) => Some(judge.configuration()),
            AnyJudge::Nnue(judge) => Some(judge.configuration()),
            AnyJudge::Linear(_) | AnyJudge::Asked(_) => None,
        }
    }
}

/// Immutable: all its randomness comes from the game's generator.
#[derive(Clone, PartialEq, Debug)]
pub struct Agent {
    search: Search,
    /// None for random play alone.
    judge: Option<AnyJudge>,
}

impl Agent {
    pub const RANDOM: Agent = Agent { search: Search::Random, judge: None };

    /// An agent; an error where the search cannot look with this judge.
    pub fn new(search: Search, judge: AnyJudge) -> Result<Agent, Error> {
        let refuse = |reason: &str| Err(Error::new("judge", reason));
        match (search, &judge) {
            (Search::Minimax { .. } | Search::Descent(_), AnyJudge::Asked(_)) => refuse(
                "has to be asked, which minimax and descent cannot wait for: tree search, policy and one ply can",
            ),
            (Search::Policy { .. }, AnyJudge::Linear(_) | AnyJudge::Mlp(_) | AnyJudge::Nnue(_)) => {
                refuse("has no policy of its own, which a network has")
            }
            (Search::Random, _) => Ok(Agent::RANDOM),
            _ => Ok(Agent { search, judge: Some(judge) }),
        }
    }

    /// The same agent, its judge being evaluator number `evaluator` of a run, if it has to be asked.
    pub fn asking(self, evaluator: usize) -> Agent {
        let renumbered =
            |judge| if let AnyJudge::Asked(_) = judge { AnyJudge::Asked(Asked { evaluator }) } else { judge };
        Agent { judge: self.judge.map(renumbered), ..self }
    }

    /// An error where its judge knows other games than those of this setup.
    pub fn check(&self, setup: &Setup) -> Result<(), Error> {
        self.judge.as_ref().and_then(AnyJudge::configuration).map_or(Ok(()), |known| known.check(setup))
    }

    /// Does the agent ask an evaluator?
    pub fn asks(&self) -> bool {
        matches!(self.judge, Some(AnyJudge::Asked(_)))
    }

    /// How long it takes over a decision, roughly, in evaluations of the heuristic: to begin the longest games first.
    pub fn cost(&self) -> u64 {
        match (self.search, self.asks()) {
            (Search::Random, _) => 0,
            (Search::OnePly { .. }, false) => 50,
            (Search::OnePly { .. }, true) => 1000,
            (Search::Policy { .. }, _) => 20,
            (Search::Minimax { budget, .. }, _) => {
                // About fifty moves a ply, of which alpha-beta tries the square root; a time says nothing of evaluations.
                let by_depth = budget.depth.map_or(u64::MAX, |depth| 50u64.saturating_pow(depth.div_ceil(2)));
                by_depth.min(budget.nodes.unwrap_or(1_000_000))
            }
            (Search::Descent(settings), _) => settings.budget.nodes.unwrap_or(100_000),
            // A simulation evaluates the moves of a leaf, some fifty.
            (Search::Tree(settings), false) => 50 * settings.cost(),
            (Search::Tree(settings), true) => 20 * settings.cost(),
        }
    }

    /// What it comes to keep in mind of a game by one decision, roughly: the tree of a long descent. Others keep little.
    pub fn kept_bytes(&self) -> u64 {
        match self.search {
            Search::Descent(settings) => settings.budget.nodes.unwrap_or(1_000_000).saturating_mul(BYTES_A_NODE),
            _ => 0,
        }
    }

    /// Begins a decision, or goes on with it once what was asked is answered. An agent that asks nobody decides at once.
    pub fn think<G: Geometry>(&self, thought: &mut Thought, situation: Situation<'_, G>) -> Next<G> {
        match &self.judge {
            None => Next::Decided(Choice::unsearched(situation.random.below(situation.legal.len()))),
            Some(AnyJudge::Linear(judge)) => Next::Decided(self.search.decide(judge, situation)),
            Some(AnyJudge::Mlp(judge)) => Next::Decided(self.search.decide(judge, situation)),
            Some(AnyJudge::Nnue(judge)) => Next::Decided(self.search.decide(judge, situation)),
            Some(AnyJudge::Asked(judge)) => match self.search {
                Search::OnePly { noise } => thought.one_ply(judge, noise, situation),
                Search::Policy { noise } => thought.by_policy(judge, noise, situation),
                Search::Tree(settings) => thought.tree_search(judge, settings, situation),
                Search::Random | Search::Minimax { .. } | Search::Descent(_) => unreachable!("refused by Agent::new"),
            },
        }
    }
}

impl Search {
    /// Decides with a judge that answers at once.
    pub(super) fn decide<G: Geometry, J: Judge>(self, judge: &J, situation: Situation<'_, G>) -> Choice {
        let Situation { state, legal, random, memory, stopped } = situation;
        match self {
            Search::OnePly { noise } => one_ply::choose(state, legal, judge, noise, random),
            Search::Minimax { variant, budget, noise } => {
                let settings =
                    minimax::Settings { variant: variant.unwrap_or(minimax::Variant::BEST), ..minimax::Settings::BEST };
                let noise = noise * judge.noise_unit();
                let bonuses: Vec<f32> =
                    if noise > 0.0 { legal.iter().map(|_| noise * rng::unit(random)).collect() } else { Vec::new() };
                let searched = minimax::search(state, legal, judge, &settings, &budget, &bonuses, stopped);
                let calibration = judge.calibration(&state.setup);
                let found = Found {
                    values: calibration.probabilities(&searched.values, state.players()),
                    policy: calibration.policy_of_search(&searched.worths),
                    nodes: searched.nodes,
                    inner: Vec::new(),
                };
                Choice { index: searched.index, found: Some(found) }
            }
            Search::Descent(settings) => memory.descent().choose(state, legal, judge, &settings, random, stopped),
            Search::Tree(settings) => {
                let search = memory.mcts();
                search.begin(state, legal, settings, random);
                search.advance(&mut Sight::of(judge), stopped);
                search.choice()
            }
            Search::Random | Search::Policy { .. } => unreachable!("refused by Agent::new"),
        }
    }
}
