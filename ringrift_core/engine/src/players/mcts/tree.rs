//! The tree: nodes at which somebody decides, their statistics, and proofs.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::moves::{Move, MoveList};
use crate::players::play_forced;
use crate::players::values::{across, certain, decided_values, Values};
use crate::state::State;

/// No node below an edge yet.
const NONE: u32 = u32::MAX;

/// A legal move of a node.
pub struct Edge {
    pub one: Move,
    /// Of the evaluator; only differences between the moves of a node mean anything.
    pub logit: f32,
    /// Softmax of the logits.
    pub prior: f32,
    child: u32,
}

impl Edge {
    pub fn child(&self) -> Option<usize> {
        (self.child != NONE).then_some(self.child as usize)
    }
}

/// The value of a node under best play, and the edge that gives it (none where the game is decided already).
#[derive(Clone, Copy)]
pub struct Proof {
    pub values: Values,
    pub edge: Option<u32>,
}

/// A position at which somebody decides, or the game is decided.
pub struct Node<G: Geometry> {
    pub state: State<G>,
    /// In the order of the legal list.
    pub edges: Vec<Edge>,
    /// Simulations that came through here, the node's own evaluation included.
    pub visits: u32,
    /// Mean value of those simulations, in the node's seats.
    pub mean: Values,
    /// What the evaluator said.
    pub evaluated: Values,
    /// Of the evaluator's prior.
    pub first_play: f32,
    pub proof: Option<Proof>,
}

/// Node 0 is the root.
pub struct Tree<G: Geometry> {
    pub nodes: Vec<Node<G>>,
}

impl<G: Geometry> Tree<G> {
    /// A tree of one node, not evaluated yet. `legal` are the moves of `state`.
    pub fn new(state: State<G>, legal: &[Move]) -> Tree<G> {
        Tree { nodes: vec![Node::new(state, legal)] }
    }

    /// Makes the node below an edge and returns its number; forced moves are played through.
    pub fn grow(&mut self, node: usize, edge: usize, list: &mut MoveList) -> usize {
        let mut state = self.nodes[node].state;
        state.apply(self.nodes[node].edges[edge].one);
        play_forced(&mut state, list);
        let below = self.nodes.len();
        self.nodes[node].edges[edge].child = below as u32;
        let child = match decided_values(&state) {
            None => Node::new(state, list),
            Some(values) => {
                let values = certain(&values);
                Node { proof: Some(Proof { values, edge: None }), ..Node::new(state, &[]) }
            }
        };
        self.nodes.push(child);
        below
    }

    /// What the tree takes in memory, about.
    pub fn bytes(&self) -> u64 {
        let edges: usize = self.nodes.iter().map(|node| node.edges.capacity()).sum();
        (self.nodes.capacity() * size_of::<Node<G>>() + edges * size_of::<Edge>()) as u64
    }

    /// Value of an edge in the seats above it: proven, or the mean of its simulations; None before the first.
    pub fn value(&self, edge: &Edge) -> Option<Values> {
        let child = &self.nodes[edge.child()?];
        let values = match child.proof {
            Some(proof) => proof.values,
            None if child.visits > 0 => child.mean,
            None => return None,
        };
        Some(across(edge.one, values))
    }

    pub fn visits(&self, edge: &Edge) -> u32 {
        edge.child().map_or(0, |child| self.nodes[child].visits)
    }

    pub fn is_proven(&self, edge: &Edge) -> bool {
        edge.child().is_some_and(|child| self.nodes[child].proof.is_some())
    }

    /// Counts a simulation that ended at `leaf` with `values`, in the leaf's seats: at the leaf and all along the path to
    /// it. A proof at the leaf climbs as far as it reaches.
    pub fn back_up(&mut self, path: &[(usize, usize)], leaf: usize, mut values: Values) {
        self.nodes[leaf].count(&values);
        let mut climbs = self.nodes[leaf].proof.is_some();
        for (node, edge) in path.iter().rev() {
            values = across(self.nodes[*node].edges[*edge].one, values);
            self.nodes[*node].count(&values);
            if climbs && self.nodes[*node].proof.is_none() {
                self.nodes[*node].proof = self.prove(*node, *edge);
                climbs = self.nodes[*node].proof.is_some();
            }
        }
    }

    /// A node is proven by a winning edge, or once all its edges are: nobody shares a win, so they all lose alike.
    fn prove(&self, node: usize, latest: usize) -> Option<Proof> {
        let node = &self.nodes[node];
        let edge = &node.edges[latest];
        let values = across(edge.one, self.nodes[edge.child()?].proof?.values);
        let wins = values[node.state.mover()] >= 1.0;
        (wins || node.edges.iter().all(|edge| self.is_proven(edge)))
            .then_some(Proof { values, edge: Some(latest as u32) })
    }

    /// The node below a decision of `node`, if the tree knows it.
    pub fn below(&self, node: usize, one: Move) -> Option<usize> {
        self.nodes[node].edges.iter().find(|edge| edge.one == one)?.child()
    }

    /// The tree below a node, with all that is known of it; the rest is dropped.
    pub fn rooted_at(mut self, root: usize) -> Tree<G> {
        let mut kept = vec![root];
        let mut next = 0;
        while next < kept.len() {
            for edge in &mut self.nodes[kept[next]].edges {
                if let Some(child) = edge.child() {
                    edge.child = kept.len() as u32;
                    kept.push(child);
                }
            }
            next += 1;
        }
        let mut nodes: Vec<Option<Node<G>>> = self.nodes.into_iter().map(Some).collect();
        Tree { nodes: kept.into_iter().filter_map(|node| nodes[node].take()).collect() }
    }
}

impl<G: Geometry> Node<G> {
    fn new(state: State<G>, legal: &[Move]) -> Node<G> {
        let edge = |one: &Move| Edge { one: *one, logit: 0.0, prior: 0.0, child: NONE };
        let values = [0.0; MAX_PLAYERS];
        let edges = legal.iter().map(edge).collect();
        Node { state, edges, visits: 0, mean: values, evaluated: values, first_play: 0.0, proof: None }
    }

    fn count(&mut self, values: &Values) {
        self.visits += 1;
        for (mean, value) in self.mean.iter_mut().zip(values) {
            *mean += (value - *mean) / self.visits as f32;
        }
    }
}
