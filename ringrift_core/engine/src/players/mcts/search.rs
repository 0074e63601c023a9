//! The search of one agent in one game, from decision to decision, as a machine that stops where it needs an evaluation.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::budget::Budget;
use crate::players::mcts::evaluation::{shares, Evaluation, LeafJudge};
use crate::players::mcts::gumbel::{self, Halving};
use crate::players::mcts::puct;
use crate::players::mcts::tree::{Proof, Tree};
use crate::players::mcts::{Settings, Variant};
use crate::players::{Choice, Found};
use crate::playout::Random;
use crate::rng;
use crate::state::State;

/// What is decided on at the root, and how far it got.
enum Plan {
    /// The prior with exploration mixed in.
    Puct {
        priors: Vec<f32>,
    },
    Gumbel(Halving),
}

/// A search; `begin` starts each decision.
pub struct Search<G: Geometry> {
    tree: Option<Tree<G>>,
    /// The node that the decisions since the last search led to.
    reached: Option<usize>,
    settings: Settings,
    /// Is this decision one of those that are searched less?
    is_fast: bool,
    /// Draws of exploration for the root's moves.
    draws: Vec<f32>,
    plan: Option<Plan>,
    begun: Instant,
    simulations: u64,
    nodes: u64,
    /// From the root to the leaf that waits: node and edge of each step.
    path: Vec<(usize, usize)>,
    waiting: Option<usize>,
    list: MoveList,
    legal: Vec<Move>,
}

impl<G: Geometry> Default for Search<G> {
    fn default() -> Self {
        Search {
            tree: None,
            reached: None,
            settings: Settings { variant: Variant::Puct, budget: Budget::default(), noise: 0.0, fast: None },
            is_fast: false,
            draws: Vec::new(),
            plan: None,
            begun: Instant::now(),
            simulations: 0,
            nodes: 0,
            path: Vec::new(),
            waiting: None,
            list: MoveList::new(),
            legal: Vec::new(),
        }
    }
}

impl<G: Geometry> Search<G> {
    /// Begins the search of a decision: `legal` are the moves of `state`, more than one. What the tree knows of `state`
    /// from earlier decisions of the same game is kept.
    pub fn begin(&mut self, state: &State<G>, legal: &[Move], settings: Settings, random: &mut Random) {
        let known = self.reached.take().zip(self.tree.take());
        let kept = known.filter(|(reached, tree)| {
            let node = &tree.nodes[*reached];
            // A node that is proven without a move to show for it (a target is met) is searched like any other.
            !node.edges.is_empty() && node.visits > 0 && node.state.identity_key() == state.identity_key()
        });
        let tree = match kept {
            Some((reached, tree)) => tree.rooted_at(reached),
            None => Tree::new(*state, legal),
        };
        self.waiting = (tree.nodes[0].visits == 0).then_some(0);
        self.tree = Some(tree);
        self.draws = match settings.variant {
            Variant::Puct if settings.noise > 0.0 => puct::dirichlet(legal.len(), random),
            Variant::Puct => Vec::new(),
            Variant::Gumbel { .. } => gumbel::draws(legal.len(), settings.noise, random),
        };
        self.is_fast = settings.fast.is_some_and(|fast| rng::unit(random) < fast.share);
        self.settings = settings;
        if let Some(fast) = settings.fast.filter(|_| self.is_fast) {
            self.settings.budget.simulations = Some(fast.simulations);
        }
        (self.plan, self.begun, self.simulations, self.nodes) = (None, Instant::now(), 0, 0);
        self.path.clear();
        self.legal.clear();
        self.legal.extend_from_slice(legal);
    }

    /// What is kept takes so much memory, about.
    pub fn bytes(&self) -> u64 {
        self.tree.as_ref().map_or(0, Tree::bytes)
    }

    /// A decision was made in the game, by any agent.
    pub fn decided(&mut self, one: Move) {
        let Some(tree) = &self.tree else { return };
        self.reached = self.reached.and_then(|node| tree.below(node, one));
    }

    /// Searches until the simulations are spent, the root is proven, or `stopped` is set: then `choice` tells the decision.
    /// Before that it stops with a leaf that has to be asked for: `receive` takes the answer. The root is always evaluated.
    pub fn advance(&mut self, judge: &mut impl LeafJudge<G>, stopped: &AtomicBool) -> Option<State<G>> {
        let mut list = MoveList::new();
        loop {
            let leaf = self.next_leaf(stopped)?;
            let leaf = &self.tree.as_ref()?.nodes[leaf].state;
            match judge.evaluate(leaf, &self.legal, &mut list) {
                Some(evaluation) => self.receive(evaluation),
                None => return Some(*leaf),
            }
        }
    }

    /// The node that wants an evaluation, with its legal moves in `legal`; None when the search is over.
    fn next_leaf(&mut self, stopped: &AtomicBool) -> Option<usize> {
        if self.waiting.is_some() {
            return self.waiting;
        }
        let tree = self.tree.as_mut()?;
        let plan = self.plan.get_or_insert_with(|| Plan::new(tree, self.settings, std::mem::take(&mut self.draws)));
        let mut meter = self.settings.budget.resumed(self.nodes, self.simulations, self.begun, stopped);
        while !meter.is_spent() && tree.nodes[0].proof.is_none() {
            self.path.clear();
            let mut node = 0;
            let leaf = loop {
                let edge = plan.select(tree, node)?;
                self.path.push((node, edge));
                match tree.nodes[node].edges[edge].child() {
                    Some(child) => node = child,
                    None => break tree.grow(node, edge, &mut self.list),
                }
            };
            (self.nodes, self.simulations) = (self.nodes + 1, self.simulations + 1);
            meter.count_node();
            meter.count_simulation();
            match tree.nodes[leaf].proof {
                Some(proof) => tree.back_up(&self.path, leaf, proof.values),
                None => {
                    self.legal.clear();
                    self.legal.extend_from_slice(&self.list);
                    self.waiting = Some(leaf);
                    return self.waiting;
                }
            }
        }
        None
    }

    /// Takes the evaluation of the leaf.
    pub fn receive(&mut self, evaluation: Evaluation) {
        let (Some(tree), Some(leaf)) = (&mut self.tree, self.waiting.take()) else { return };
        let node = &mut tree.nodes[leaf];
        node.first_play = evaluation.prior.first_play();
        let logits = evaluation.prior.into_logits(node.edges.len());
        for ((edge, logit), prior) in node.edges.iter_mut().zip(&logits).zip(shares(&logits)) {
            (edge.logit, edge.prior) = (*logit, prior);
        }
        node.evaluated = evaluation.values;
        if let Some(edge) = evaluation.winning {
            let mut values = [0.0; 4];
            values[node.state.mover()] = 1.0;
            node.evaluated = values;
            node.proof = Some(Proof { values, edge: Some(edge as u32) });
        }
        let values = node.evaluated;
        self.nodes += evaluation.nodes;
        tree.back_up(&self.path, leaf, values);
    }

    /// The decision, as far as the search got; a fast one has no policy to learn from.
    pub fn choice(&mut self) -> Choice {
        let mut choice = self.decision();
        if let Some(found) = choice.found.as_mut().filter(|_| self.is_fast) {
            found.policy.clear();
        }
        choice
    }

    fn decision(&mut self) -> Choice {
        self.reached = Some(0);
        let Some(tree) = &self.tree else { return Choice::unsearched(0) };
        let root = &tree.nodes[0];
        let (index, policy, values) = match &self.plan {
            Some(Plan::Gumbel(halving)) => {
                let (policy, values) = gumbel::improved(tree, root);
                (halving.best(tree), policy, values)
            }
            _ => {
                let policy = puct::shares(tree, root);
                (puct::best(tree, root, &policy), policy, root.mean)
            }
        };
        let found = match root.proof {
            Some(Proof { values, edge: Some(edge) }) => {
                let index = if values[root.state.mover()] >= 1.0 { edge as usize } else { index };
                let mut policy = policy;
                if values[root.state.mover()] >= 1.0 {
                    policy.fill(0.0);
                    policy[index] = 1.0;
                }
                return Choice { index, found: Some(Found { values, policy, nodes: self.nodes, inner: Vec::new() }) };
            }
            _ => Found { values, policy, nodes: self.nodes, inner: Vec::new() },
        };
        Choice { index, found: Some(found) }
    }
}

impl Plan {
    fn new<G: Geometry>(tree: &Tree<G>, settings: Settings, draws: Vec<f32>) -> Plan {
        match settings.variant {
            Variant::Gumbel { considered } => {
                Plan::Gumbel(Halving::new(tree, draws, considered, settings.budget.simulations))
            }
            Variant::Puct => {
                let noise = settings.noise;
                let mixed =
                    |(edge, draw): (&crate::players::mcts::tree::Edge, &f32)| (1.0 - noise) * edge.prior + noise * draw;
                let edges = &tree.nodes[0].edges;
                let priors = if draws.is_empty() {
                    edges.iter().map(|edge| edge.prior).collect()
                } else {
                    edges.iter().zip(&draws).map(mixed).collect()
                };
                Plan::Puct { priors }
            }
        }
    }

    fn select<G: Geometry>(&mut self, tree: &Tree<G>, node: usize) -> Option<usize> {
        match self {
            Plan::Puct { priors } => puct::select(tree, &tree.nodes[node], (node == 0).then_some(priors.as_slice())),
            Plan::Gumbel(halving) if node == 0 => halving.next(tree),
            Plan::Gumbel(_) => gumbel::select(tree, &tree.nodes[node]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8};
    use crate::players::judge::Sight;
    use crate::players::linear::Linear;
    use crate::players::play_forced;
    use crate::setup::{Profile, Setup};

    /// A game of one agent at all seats: the tree below the move played is found again at the next decision, through forced
    /// moves and other seats' turns, with the statistics it had, and new simulations are added to them.
    #[test]
    fn what_is_known_of_a_position_is_kept_between_decisions() {
        let (judge, never) = (Linear::of_setting("baseline").expect("documented"), AtomicBool::new(false));
        for (players, variant) in [(2, Variant::Puct), (3, Variant::Gumbel { considered: 8 })] {
            let setup = Setup::new(Board::Hex8, players, Profile::Canonical).expect("playable");
            let settings = Settings { variant, budget: Budget::of_simulations(80), noise: 0.0, fast: None };
            let (mut search, mut random) = (Search::<Hex8>::default(), Random::new(1));
            let (mut state, mut list, mut decisions) = (State::new(setup), MoveList::new(), 0);
            let mut expected = (0, [0.0; 4]);
            loop {
                play_forced(&mut state, &mut list);
                if list.is_empty() {
                    break;
                }
                search.begin(&state, &list, settings, &mut random);
                let root = |search: &Search<Hex8>| {
                    let root = &search.tree.as_ref().expect("begun").nodes[0];
                    assert_eq!(root.state.identity_key(), state.identity_key());
                    (root.visits, root.mean)
                };
                let (visits, mean) = root(&search);
                assert_eq!((visits, mean), expected);
                assert!(search.advance(&mut Sight::of(&judge), &never).is_none());
                let tree = search.tree.as_ref().expect("begun");
                // The evaluation of a new root is a visit, but no simulation.
                let added = search.simulations as u32 + (visits == 0) as u32;
                assert_eq!(tree.nodes[0].visits, visits + added);
                assert!(search.simulations == 80 || tree.nodes[0].proof.is_some());
                let one = list[search.choice().index];
                let tree = search.tree.as_ref().expect("begun");
                let below = tree.below(0, one).map(|node| &tree.nodes[node]).filter(|node| !node.edges.is_empty());
                expected = below.map_or((0, [0.0; 4]), |node| (node.visits, node.mean));
                assert!(expected.0 > 0 || tree.nodes[0].proof.is_some(), "an unproven root's choice was visited");
                search.decided(one);
                state.apply(one);
                decisions += 1;
            }
            assert!(decisions > 10);
        }
    }

    #[test]
    fn a_position_that_the_tree_does_not_know_is_searched_anew() {
        let (judge, never) = (Linear::of_setting("baseline").expect("documented"), AtomicBool::new(false));
        let settings = Settings { variant: Variant::Puct, budget: Budget::of_simulations(80), noise: 0.0, fast: None };
        let start = State::<Hex8>::new(Setup::new(Board::Hex8, 2, Profile::Canonical).expect("playable"));
        let (mut search, mut random, mut list) = (Search::<Hex8>::default(), Random::new(1), MoveList::new());
        start.legal_moves(&mut list);
        search.begin(&start, &list, settings, &mut random);
        assert!(search.advance(&mut Sight::of(&judge), &never).is_none());
        let chosen = search.choice().index;
        let (told, played) = (list[chosen], list[(chosen + 1) % list.len()]);
        search.decided(told);
        let mut other = start;
        other.apply(played);
        play_forced(&mut other, &mut list);
        search.begin(&other, &list, settings, &mut random);
        let root = &search.tree.as_ref().expect("begun").nodes[0];
        assert_eq!((root.visits, root.state.identity_key()), (0, other.identity_key()));
    }
}
