//! The search of one agent in one game, from decision to decision.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::budget::Meter;
use crate::players::calibration;
use crate::players::descent::tree::{Tree, Worth};
use crate::players::descent::{ordinal, Growth, Settings};
use crate::players::heuristic::{Values, Weights};
use crate::players::{forced, Choice, Found, Inner};
use crate::playout::Random;
use crate::state::State;

/// What an agent keeps of its search between the decisions of a game.
pub struct Search<G: Geometry> {
    tree: Option<Tree<G>>,
    /// The node that the decisions since the last search led to.
    reached: Option<usize>,
}

impl<G: Geometry> Default for Search<G> {
    fn default() -> Self {
        Search { tree: None, reached: None }
    }
}

impl<G: Geometry> Search<G> {
    /// Decides at `state`, of which `legal` are the moves, more than one.
    pub fn choose(
        &mut self,
        state: &State<G>,
        legal: &[Move],
        weights: &Weights,
        settings: &Settings,
        random: &mut Random,
        stopped: &AtomicBool,
    ) -> Choice {
        let mut meter = Meter::start(&settings.budget, stopped);
        let known = self.reached.take().zip(self.tree.take());
        let mut tree = match known.filter(|(reached, tree)| tree.is(*reached, state)) {
            Some((reached, tree)) => tree.rooted_at(reached),
            None => {
                let (tree, spent) = Tree::new(*state, legal, weights);
                meter.count_nodes(spent);
                tree
            }
        };
        let mut list = MoveList::new();
        while !meter.is_spent() && !tree.nodes[0].worth.resolved {
            grow_best_line(&mut tree, weights, settings.growth, &mut meter, &mut list);
        }
        let (index, values, worths) = decide(&tree, settings.exploration, random);
        let found = Found {
            values: calibration::of(&state.setup).probabilities(&values, state.players()),
            policy: calibration::of(&state.setup).policy(&worths),
            nodes: meter.nodes(),
            inner: inner(&tree, settings.inner),
        };
        (self.tree, self.reached) = (Some(tree), Some(0));
        Choice { index, found: Some(found) }
    }

    /// A decision was made in the game, by any agent.
    pub fn decided(&mut self, one: Move) {
        self.reached = self.tree.as_ref().zip(self.reached).and_then(|(tree, node)| tree.below(node, one));
    }
}

/// Follows the best line to its end, grows it there, and takes the news back to the root.
fn grow_best_line<G: Geometry>(
    tree: &mut Tree<G>,
    weights: &Weights,
    growth: Growth,
    meter: &mut Meter<'_>,
    list: &mut MoveList,
) {
    let mut path = Vec::new();
    let mut node = 0;
    loop {
        path.push(node);
        // None: lines that join this one resolved it.
        let Some(child) = tree.most_promising(node) else { break };
        tree.nodes[node].children[child].visits += 1;
        let known = tree.nodes[node].children[child].node;
        if known.is_none() {
            meter.count_nodes(tree.grow(node, child, weights, list));
        }
        let goes_on = known.is_some() || growth == Growth::ToTheEnd && !meter.is_spent();
        match tree.nodes[node].children[child].node {
            Some(below) if goes_on => node = below as usize,
            _ => break,
        }
    }
    path.iter().rev().for_each(|node| tree.refresh(*node));
}

/// The chosen move's number, the root's values, and the worth of every move for the mover. For play it is the safest: by
/// completion, then by visits, then by value; otherwise a draw by rank.
fn decide<G: Geometry>(tree: &Tree<G>, exploration: f32, random: &mut Random) -> (usize, Values, Vec<f32>) {
    let root = &tree.nodes[0];
    let mover = root.state.mover();
    let worths: Vec<Worth> = root.children.iter().map(|child| tree.worth(child)).collect();
    let mut ranked: Vec<usize> = (0..worths.len()).collect();
    let descending = |one: &usize, other: &usize| {
        let (left, right) = (&worths[*one], &worths[*other]);
        let visits = |index: &usize| if exploration > 0.0 { 0 } else { root.children[*index].visits };
        (right.completion(mover).cmp(&left.completion(mover)))
            .then(visits(other).cmp(&visits(one)))
            .then(right.values[mover].total_cmp(&left.values[mover]))
    };
    ranked.sort_by(descending);
    let rank = if exploration > 0.0 { ordinal::draw(ranked.len(), 1.0 - exploration, random) } else { 0 };
    (ranked[rank], root.worth.values, worths.iter().map(|worth| worth.values[mover]).collect())
}

/// Up to `most` positions below the root with their values, the most visited first.
fn inner<G: Geometry>(tree: &Tree<G>, most: usize) -> Vec<Inner> {
    if most == 0 {
        return Vec::new();
    }
    let mut list = MoveList::new();
    let mut told = vec![false; tree.nodes.len()];
    let mut found: Vec<(u32, Inner)> = Vec::new();
    let mut open = VecDeque::from([(0, Vec::new())]);
    while let Some((node, moves)) = open.pop_front() {
        let node = &tree.nodes[node];
        for child in &node.children {
            let Some(below) = child.node.map(|below| below as usize).filter(|below| !told[*below]) else { continue };
            told[below] = true;
            let mut moves: Vec<Move> = Vec::clone(&moves);
            moves.push(child.one);
            let mut state = node.state;
            state.apply(child.one);
            moves.extend(forced(&mut state, &mut list));
            let values = calibration::of(&state.setup).probabilities(&tree.nodes[below].worth.values, state.players());
            found.push((child.visits, Inner { moves: moves.clone(), values }));
            open.push_back((below, moves));
        }
    }
    found.sort_by_key(|(visits, _)| std::cmp::Reverse(*visits));
    found.truncate(most);
    found.into_iter().map(|(_, inner)| inner).collect()
}
