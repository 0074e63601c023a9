//! The graph of positions that was looked into: each is one node, whatever line led to it.

use std::collections::HashMap;

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::completion::try_all;
use crate::players::descent::gains::{Gains, Next};
use crate::players::judge::{Judge, Sight};
use crate::players::play_forced;
use crate::players::values::{self, across, seat_after, Values, WON};
use crate::state::State;

/// A legal move of a node.
pub struct Child {
    pub one: Move,
    /// At first sight, in the parent's seats.
    values: Values,
    /// Who decides after the completed turn.
    next: Next,
    /// Are the values those under best play?
    resolved: bool,
    /// How often the search went this way.
    pub visits: u32,
    /// The expanded node, once there is one.
    pub node: Option<u32>,
}

/// What is known of a move or a position: the value of each seat, and whether it is the one under best play.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Worth {
    pub values: Values,
    pub resolved: bool,
}

impl Worth {
    /// Completion: 1 for a proven win of the seat, -1 for anything else that is proven, 0 for an estimate.
    pub fn completion(&self, seat: usize) -> i8 {
        match (self.resolved, self.values[seat] >= WON) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => -1,
        }
    }

    /// Is it better for the seat: by completion, then by value?
    fn beats(&self, other: &Worth, seat: usize) -> bool {
        let key = |worth: &Worth| (worth.completion(seat), worth.values[seat]);
        key(self) > key(other)
    }
}

pub struct Node<G: Geometry> {
    pub state: State<G>,
    key: u64,
    /// In the order of the legal list; none where the game is decided.
    pub children: Vec<Child>,
    /// Of the best child, in the node's seats.
    pub worth: Worth,
}

/// Node 0 is the root.
pub struct Tree<G: Geometry> {
    pub nodes: Vec<Node<G>>,
    by_key: HashMap<u64, u32>,
    gains: Gains,
}

impl<G: Geometry> Tree<G> {
    /// A tree of one position, expanded, and the decisions applied to do so.
    pub fn new<J: Judge>(state: State<G>, legal: &[Move], sight: &mut Sight<'_, G, J>) -> (Tree<G>, u64) {
        let mut tree = Tree { nodes: Vec::new(), by_key: HashMap::new(), gains: Gains::default() };
        let (_, spent) = tree.add(state, legal, sight);
        (tree, spent)
    }

    fn add<J: Judge>(&mut self, state: State<G>, legal: &[Move], sight: &mut Sight<'_, G, J>) -> (u32, u64) {
        let node = self.nodes.len() as u32;
        let key = state.search_key();
        let (children, spent) = first_sight(&state, legal, sight);
        self.nodes.push(Node { state, key, children, worth: Worth { values: [0.0; 4], resolved: false } });
        self.by_key.insert(key, node);
        self.refresh(node as usize);
        (node, spent)
    }

    /// Worth of a child, in its parent's seats.
    pub fn worth(&self, child: &Child) -> Worth {
        match child.node {
            Some(node) => {
                let worth = self.nodes[node as usize].worth;
                Worth { values: across(child.one, worth.values), ..worth }
            }
            None if child.resolved => Worth { values: child.values, resolved: true },
            None => {
                let players = self.nodes[0].state.players();
                Worth { values: self.gains.anticipate(child.values, child.next, players), resolved: false }
            }
        }
    }

    /// The unresolved child that is best for the node's mover, the least visited of equals; None when all are resolved.
    pub fn most_promising(&self, node: usize) -> Option<usize> {
        let node = &self.nodes[node];
        let mover = node.state.mover();
        let mut best: Option<(usize, f32, u32)> = None;
        for (index, child) in node.children.iter().enumerate() {
            let worth = self.worth(child);
            let value = worth.values[mover];
            let better =
                |(_, highest, visits): (usize, f32, u32)| value > highest || value == highest && child.visits < visits;
            if !worth.resolved && best.is_none_or(better) {
                best = Some((index, value, child.visits));
            }
        }
        best.map(|(index, ..)| index)
    }

    /// Looks into a child: links the node there is, or expands a new one. Returns the decisions applied.
    pub fn grow<J: Judge>(
        &mut self,
        node: usize,
        child: usize,
        sight: &mut Sight<'_, G, J>,
        list: &mut MoveList,
    ) -> u64 {
        let one = self.nodes[node].children[child].one;
        let mut state = self.nodes[node].state;
        state.apply(one);
        play_forced(&mut state, list);
        if let Some(values) = values::decided_values(&state) {
            let child = &mut self.nodes[node].children[child];
            (child.values, child.resolved) = (across(one, values), true);
            return 1;
        }
        let (below, spent) = match self.by_key.get(&state.search_key()) {
            Some(known) => (*known, 0),
            None => self.add(state, list, sight),
        };
        if spent > 0 {
            let before = across(one, self.nodes[node].children[child].values);
            self.learn_gain(below as usize, &before);
        }
        self.nodes[node].children[child].node = Some(below);
        1 + spent
    }

    /// `before`: what the node was worth at first sight.
    fn learn_gain(&mut self, node: usize, before: &Values) {
        let node = &self.nodes[node];
        let mover = node.state.mover();
        let best = node.children.iter().map(|child| child.values[mover]).fold(f32::NEG_INFINITY, f32::max);
        self.gains.learn(node.state.phase, before[mover], best);
    }

    /// Takes a node's worth from its best child. It is resolved by a proven win, or once all children are.
    pub fn refresh(&mut self, node: usize) {
        let mover = self.nodes[node].state.mover();
        let mut best: Option<Worth> = None;
        let mut all = true;
        for child in &self.nodes[node].children {
            let worth = self.worth(child);
            all &= worth.resolved;
            if best.is_none_or(|best| worth.beats(&best, mover)) {
                best = Some(worth);
            }
        }
        if let Some(best) = best {
            self.nodes[node].worth = Worth { resolved: all || best.completion(mover) > 0, ..best };
        }
    }

    /// The node below a decision of `node`, if it was looked into.
    pub fn below(&self, node: usize, one: Move) -> Option<usize> {
        self.nodes[node].children.iter().find(|child| child.one == one)?.node.map(|node| node as usize)
    }

    /// The part of the graph that can be reached from a node; the rest is dropped.
    pub fn rooted_at(self, root: usize) -> Tree<G> {
        const UNKNOWN: u32 = u32::MAX;
        let mut number = vec![UNKNOWN; self.nodes.len()];
        number[root] = 0;
        let mut kept = vec![root];
        let mut next = 0;
        while next < kept.len() {
            for child in &self.nodes[kept[next]].children {
                if let Some(node) = child.node.filter(|node| number[*node as usize] == UNKNOWN) {
                    number[node as usize] = kept.len() as u32;
                    kept.push(node as usize);
                }
            }
            next += 1;
        }
        let mut nodes: Vec<Option<Node<G>>> = self.nodes.into_iter().map(Some).collect();
        let mut nodes: Vec<Node<G>> = kept.into_iter().filter_map(|node| nodes[node].take()).collect();
        for child in nodes.iter_mut().flat_map(|node| &mut node.children) {
            child.node = child.node.map(|node| number[node as usize]);
        }
        let by_key = nodes.iter().enumerate().map(|(number, node)| (node.key, number as u32)).collect();
        Tree { nodes, by_key, gains: self.gains }
    }

    /// What the tree takes in memory, about.
    pub fn bytes(&self) -> u64 {
        let children: usize = self.nodes.iter().map(|node| node.children.capacity()).sum();
        let nodes = self.nodes.capacity() * size_of::<Node<G>>() + self.by_key.capacity() * size_of::<(u64, u32)>();
        (nodes + children * size_of::<Child>()) as u64
    }

    /// Is the node this position, as far as the game that follows goes?
    pub fn is(&self, node: usize, state: &State<G>) -> bool {
        self.nodes[node].key == state.search_key()
    }
}

/// Every legal move at first sight: played, the turn completed, evaluated; and the decisions applied.
fn first_sight<G: Geometry, J: Judge>(
    state: &State<G>,
    legal: &[Move],
    sight: &mut Sight<'_, G, J>,
) -> (Vec<Child>, u64) {
    let mut children = Vec::with_capacity(legal.len());
    let spent = try_all(state, legal, sight, &mut MoveList::new(), |index, after, values| {
        let one = legal[index];
        let next = Next { seat: seat_after(after, one), phase: after.phase };
        // A win that the mover can bring about is proven; anything else may have better answers in the same turn.
        let resolved = values[state.mover()] >= WON;
        children.push(Child { one, values, next, resolved, visits: 0, node: None });
    });
    (children, spent)
}
