//! Gumbel search (Danihelka et al. 2022): the root samples moves without replacement by Gumbel-Top-k and finds the best of
//! them by sequential halving; everywhere values complete the prior into an improved policy.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::players::mcts::evaluation::shares;
use crate::players::mcts::tree::{Node, Tree};
use crate::players::values::Values;
use crate::playout::Random;
use crate::rng;

/// sigma(q) = (C_VISIT + most visits of a move) C_SCALE q, for values between 0 and 1 (section 3.4 of the paper).
const C_VISIT: f32 = 50.0;
const C_SCALE: f32 = 1.0;

/// Simulations that sequential halving reckons with where the budget sets none; later ones go to the last two moves.
const UNBOUNDED: u64 = 256;

/// One Gumbel draw for each move, times `scale`.
pub fn draws(moves: usize, scale: f32, random: &mut Random) -> Vec<f32> {
    if scale == 0.0 {
        return vec![0.0; moves];
    }
    // Between the steps of `unit`, so that neither logarithm meets 0.
    let draw = |_| scale * -(-(rng::unit(random) + f32::EPSILON / 4.0).ln()).ln();
    (0..moves).map(draw).collect()
}

/// Value of each edge, in the node's seats: its own, or for those not visited the mix of evaluation and visited values
/// (appendix D of the paper).
fn completed<G: Geometry>(tree: &Tree<G>, node: &Node<G>) -> Vec<Values> {
    let (mut visits, mut known, mut sum) = (0, 0.0, [0.0; MAX_PLAYERS]);
    let values: Vec<Option<Values>> = node.edges.iter().map(|edge| tree.value(edge)).collect();
    for (edge, values) in node.edges.iter().zip(&values) {
        let Some(values) = values else { continue };
        // A prior of 0 still counts a little: else a node whose visited moves all have none divides by it.
        let prior = edge.prior.max(1e-6);
        visits += tree.visits(edge);
        known += prior;
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += prior * value;
        }
    }
    let mut mixed = node.evaluated;
    if known > 0.0 {
        for (mixed, sum) in mixed.iter_mut().zip(sum) {
            *mixed = (*mixed + visits as f32 * sum / known) / (1 + visits) as f32;
        }
    }
    values.into_iter().map(|values| values.unwrap_or(mixed)).collect()
}

/// Logit of each edge plus sigma of its completed value.
fn improved_logits<G: Geometry>(tree: &Tree<G>, node: &Node<G>) -> Vec<f32> {
    let mover = node.state.mover();
    let most = node.edges.iter().map(|edge| tree.visits(edge)).max().unwrap_or(0);
    let scale = (C_VISIT + most as f32) * C_SCALE;
    let values = completed(tree, node);
    node.edges.iter().zip(values).map(|(edge, values)| edge.logit + scale * values[mover]).collect()
}

/// The improved policy, and the value of following it.
pub fn improved<G: Geometry>(tree: &Tree<G>, node: &Node<G>) -> (Vec<f32>, Values) {
    let policy = shares(&improved_logits(tree, node));
    let mut expected = [0.0; MAX_PLAYERS];
    for (share, values) in policy.iter().zip(completed(tree, node)) {
        for (expected, value) in expected.iter_mut().zip(values) {
            *expected += share * value;
        }
    }
    (policy, expected)
}

/// The unproven edge to follow below the root: visits approach the improved policy (equation 14 of the paper). None when
/// all edges are proven.
pub fn select<G: Geometry>(tree: &Tree<G>, node: &Node<G>) -> Option<usize> {
    let policy = shares(&improved_logits(tree, node));
    let total = node.edges.iter().map(|edge| tree.visits(edge)).sum::<u32>() + 1;
    let mut best = None;
    let mut highest = f32::NEG_INFINITY;
    for (index, (edge, share)) in node.edges.iter().zip(policy).enumerate() {
        if tree.is_proven(edge) {
            continue;
        }
        let lack = share - tree.visits(edge) as f32 / total as f32;
        if lack > highest {
            (best, highest) = (Some(index), lack);
        }
    }
    best
}

/// Sequential halving at the root.
#[derive(Default)]
pub struct Halving {
    draws: Vec<f32>,
    simulations: usize,
    /// Moves still in the running.
    considered: Vec<usize>,
    most_considered: usize,
    rounds: usize,
    /// What this round still visits, in reverse.
    queue: Vec<usize>,
}

impl Halving {
    /// The first round: the moves with the highest draw plus logit.
    pub fn new<G: Geometry>(tree: &Tree<G>, draws: Vec<f32>, considered: usize, simulations: Option<u64>) -> Halving {
        let simulations = simulations.unwrap_or(UNBOUNDED) as usize;
        let root = &tree.nodes[0];
        let most_considered = considered.min(simulations).min(root.edges.len()).max(1);
        let rounds = most_considered.next_power_of_two().trailing_zeros().max(1) as usize;
        let mut halving =
            Halving { draws, simulations, considered: Vec::new(), most_considered, rounds, queue: Vec::new() };
        let mut best = halving.unproven(tree);
        best.sort_by(|one, other| halving.prior(root, *other).total_cmp(&halving.prior(root, *one)));
        best.truncate(most_considered);
        halving.considered = best;
        halving.fill_queue();
        halving
    }

    fn prior<G: Geometry>(&self, root: &Node<G>, edge: usize) -> f32 {
        self.draws[edge] + root.edges[edge].logit
    }

    fn unproven<G: Geometry>(&self, tree: &Tree<G>) -> Vec<usize> {
        let root = &tree.nodes[0];
        (0..root.edges.len()).filter(|edge| !tree.is_proven(&root.edges[*edge])).collect()
    }

    fn fill_queue(&mut self) {
        let visits = (self.simulations / (self.rounds * self.considered.len().max(1))).max(1);
        let round = self.considered.iter().rev();
        self.queue = std::iter::repeat_n(round, visits).flatten().copied().collect();
    }

    /// The root's edge that the next simulation follows; None when all are proven.
    pub fn next<G: Geometry>(&mut self, tree: &Tree<G>) -> Option<usize> {
        loop {
            while let Some(edge) = self.queue.pop() {
                if !tree.is_proven(&tree.nodes[0].edges[edge]) {
                    return Some(edge);
                }
            }
            let open = self.unproven(tree);
            if open.is_empty() {
                return None;
            }
            let half = (self.considered.len() / 2).max(2);
            self.considered.retain(|edge| open.contains(edge));
            if self.considered.is_empty() {
                // All considered moves are proven, and none wins: the next best come into the running.
                self.considered = open;
                self.rank(tree);
                self.considered.truncate(self.most_considered);
            } else {
                self.rank(tree);
                self.considered.truncate(half);
            }
            self.fill_queue();
        }
    }

    fn rank<G: Geometry>(&mut self, tree: &Tree<G>) {
        let logits = improved_logits(tree, &tree.nodes[0]);
        let draws = &self.draws;
        let score = |edge: usize| draws[edge] + logits[edge];
        self.considered.sort_by(|one, other| score(*other).total_cmp(&score(*one)));
    }

    /// The best move still in the running; one proven lost only where there is no other.
    pub fn best<G: Geometry>(&self, tree: &Tree<G>) -> usize {
        let root = &tree.nodes[0];
        let logits = improved_logits(tree, root);
        let open = self.considered.iter().copied().filter(|edge| !tree.is_proven(&root.edges[*edge]));
        let best = |edges: &mut dyn Iterator<Item = usize>| {
            edges.max_by(|one, other| {
                let score = |edge: &usize| self.draws[*edge] + logits[*edge];
                score(one).total_cmp(&score(other)).then(other.cmp(one))
            })
        };
        best(&mut open.collect::<Vec<_>>().into_iter())
            .or_else(|| best(&mut self.unproven(tree).into_iter()))
            .or_else(|| best(&mut (0..root.edges.len())))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8};
    use crate::moves::MoveList;
    use crate::players::known_answers::legal;
    use crate::setup::{Profile, Setup};
    use crate::state::State;

    /// The start of a game, every edge of which has the same logit.
    fn start() -> Tree<Hex8> {
        let state = State::<Hex8>::new(Setup::new(Board::Hex8, 2, Profile::Canonical).expect("playable"));
        let mut tree = Tree::new(state, &legal(&state));
        let edges = tree.nodes[0].edges.len() as f32;
        tree.nodes[0].edges.iter_mut().for_each(|edge| edge.prior = 1.0 / edges);
        tree.nodes[0].evaluated = [0.5, 0.5, 0.0, 0.0];
        tree.back_up(&[], 0, [0.5, 0.5, 0.0, 0.0]);
        tree
    }

    /// One simulation through an edge of the root.
    fn simulate(tree: &mut Tree<Hex8>, edge: usize, value: f32) {
        let child = tree.nodes[0].edges[edge].child();
        let leaf = child.unwrap_or_else(|| tree.grow(0, edge, &mut MoveList::new()));
        tree.back_up(&[(0, edge)], leaf, [value, 1.0 - value, 0.0, 0.0]);
    }

    #[test]
    fn the_running_is_halved_until_two_are_left() {
        // Rounds of 16 / (2 rounds x 4 moves) = 2 visits for four moves, then 16 / (2 x 2) = 4 for the better two.
        for (considered, simulations, expected) in
            [(4, 16, vec![2, 6, 2, 6]), (2, 10, vec![5, 5]), (1, 3, vec![3]), (8, 4, vec![1, 1, 1, 1])]
        {
            let mut tree = start();
            let draws = vec![0.0; tree.nodes[0].edges.len()];
            let mut halving = Halving::new(&tree, draws, considered, Some(simulations));
            for _ in 0..simulations {
                let edge = halving.next(&tree).expect("nothing is proven");
                simulate(&mut tree, edge, if edge % 2 == 1 { 0.6 } else { 0.4 });
            }
            let visits = tree.nodes[0].edges.iter().map(|edge| tree.visits(edge));
            assert_eq!(visits.filter(|visits| *visits > 0).collect::<Vec<_>>(), expected);
            assert_eq!(halving.best(&tree), (considered > 1) as usize);
        }
    }

    #[test]
    fn unvisited_moves_have_the_mix_of_evaluation_and_visited_values() {
        let mut tree = start();
        let root = &mut tree.nodes[0];
        (root.edges[0].prior, root.edges[1].prior) = (0.3, 0.1);
        (0..3).for_each(|_| simulate(&mut tree, 0, 0.9));
        simulate(&mut tree, 1, 0.1);
        // (0.5 + 4 / (0.3 + 0.1) x (0.3 x 0.9 + 0.1 x 0.1)) / (1 + 4)
        let mixed = (0.5 + 4.0 / 0.4 * 0.28) / 5.0;
        let found: Vec<f32> = completed(&tree, &tree.nodes[0]).iter().take(3).map(|values| values[0]).collect();
        for (found, expected) in found.iter().zip([0.9, 0.1, mixed]) {
            assert!((found - expected).abs() < 1e-5, "{found} against {expected}");
        }
    }

    #[test]
    fn values_weigh_more_the_more_a_move_was_visited() {
        let mut tree = start();
        for visits in 1..=2 {
            simulate(&mut tree, 0, 0.9);
            simulate(&mut tree, 1, 0.4);
            let logits = improved_logits(&tree, &tree.nodes[0]);
            let expected = (50 + visits) as f32 * 0.5;
            assert!((logits[0] - logits[1] - expected).abs() < 1e-3, "{visits} visits: {logits:?}");
        }
    }
}
