//! Best-first minimax without depth bound (Cohen-Solal, "Learning to Play Two-Player Perfect-Information Games without
//! Knowledge", 2020): the tree always grows at the end of its best line; resolved lines are not visited again.
//!
//! Values are one per seat, so the same search serves two to four players (max^n). Nothing is negated by ply: one seat
//! decides several times in a row. `swap_sides` exchanges agents, so a value passes it with seats 1 and 2 exchanged.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::completion::complete_turn;
use crate::players::heuristic::{self, across, Values, Weights, WON};
use crate::players::settle;
use crate::state::State;

struct Child {
    one: Move,
    /// In the parent's seats.
    values: Values,
    /// Nothing below can change the value any more.
    resolved: bool,
    /// Index of the expanded node, once there is one.
    node: Option<usize>,
}

struct Node<G: Geometry> {
    state: State<G>,
    children: Vec<Child>,
}

/// Values of the legal moves of `root`, in its seats, after a search of about `budget` nodes: a node is one decision
/// applied and evaluated, and the last expansion is always finished. And the nodes spent.
pub fn search<G: Geometry>(root: &State<G>, legal: &[Move], weights: &Weights, budget: usize) -> (Vec<Values>, usize) {
    let mut nodes = vec![expand(*root, legal, weights)];
    let mut spent = legal.len();
    let mut list = MoveList::new();
    let mut path = Vec::new();
    while spent < budget {
        path.clear();
        let mut node = 0;
        let leaf = loop {
            let Some(index) = most_promising(&nodes[node]) else { break None };
            path.push((node, index));
            match nodes[node].children[index].node {
                Some(below) => node = below,
                None => break Some(index),
            }
        };
        let Some(leaf) = leaf else { break };
        spent += grow(&mut nodes, (node, leaf), weights, &mut list);
        back_up(&mut nodes, &path);
    }
    (nodes[0].children.iter().map(|child| child.values).collect(), spent)
}

/// Evaluates every legal move of a position.
fn expand<G: Geometry>(state: State<G>, legal: &[Move], weights: &Weights) -> Node<G> {
    let mut list = MoveList::new();
    let evaluate = |one: &Move| {
        let mut after = state;
        after.apply(*one);
        complete_turn(&mut after, weights, &mut list);
        let values = across(*one, heuristic::values(&after, weights));
        // A win that the mover can bring about is proven; anything else may have better answers in the same turn.
        Child { one: *one, values, resolved: values[state.mover()] >= WON, node: None }
    };
    Node { state, children: legal.iter().map(evaluate).collect() }
}

/// The unresolved child that is best for the node's mover; None when all are resolved.
fn most_promising<G: Geometry>(node: &Node<G>) -> Option<usize> {
    let mover = node.state.mover();
    let open = node.children.iter().enumerate().filter(|(_, child)| !child.resolved);
    open.reduce(|best, other| if other.1.values[mover] > best.1.values[mover] { other } else { best })
        .map(|(index, _)| index)
}

/// Expands a leaf; returns the nodes spent.
fn grow<G: Geometry>(
    nodes: &mut Vec<Node<G>>,
    (parent, index): (usize, usize),
    weights: &Weights,
    list: &mut MoveList,
) -> usize {
    let one = nodes[parent].children[index].one;
    let mut state = nodes[parent].state;
    state.apply(one);
    settle(&mut state, list);
    let below = nodes.len();
    let child = &mut nodes[parent].children[index];
    if let Some(values) = heuristic::decided_values(&state) {
        child.values = across(one, values);
        child.resolved = true;
        return 1;
    }
    child.node = Some(below);
    nodes.push(expand(state, list, weights));
    list.len()
}

/// Carries values up the path, from its end to the root.
fn back_up<G: Geometry>(nodes: &mut [Node<G>], path: &[(usize, usize)]) {
    for (parent, index) in path.iter().rev() {
        let Some(below) = nodes[*parent].children[*index].node else { continue };
        let (values, resolved) = summary(&nodes[below]);
        let child = &mut nodes[*parent].children[*index];
        child.values = across(child.one, values);
        child.resolved = resolved;
    }
}

/// A node's value is that of its mover's best child. It is resolved by a proven win, or once all children are.
fn summary<G: Geometry>(node: &Node<G>) -> (Values, bool) {
    let mover = node.state.mover();
    let first = &node.children[0];
    let best =
        node.children
            .iter()
            .skip(1)
            .fold(first, |best, other| if other.values[mover] > best.values[mover] { other } else { best });
    let won = best.resolved && best.values[mover] >= WON;
    (best.values, won || node.children.iter().all(|child| child.resolved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8};
    use crate::drivers::rng::{stream, Purpose};
    use crate::moves::MoveKind;
    use crate::players::features::FEATURES;
    use crate::players::heuristic::setting;
    use crate::setup::{Profile, Setup};

    /// Exact value of a position for every seat, by searching it to the end (max^n).
    fn solve(state: &State<Hex8>, left: &mut usize) -> Option<Values> {
        *left = left.checked_sub(1)?;
        if let Some(values) = heuristic::decided_values(state) {
            return Some(values);
        }
        let mut list = MoveList::new();
        state.legal_moves(&mut list);
        let mover = state.mover();
        let mut best: Option<Values> = None;
        for one in list.iter() {
            let mut after = *state;
            after.apply(*one);
            let values = across(*one, solve(&after, left)?);
            if best.is_none_or(|best| values[mover] > best[mover]) {
                best = Some(values);
            }
        }
        best
    }

    #[test]
    fn late_positions_are_solved_exactly() {
        let weights = setting("baseline").expect("documented");
        let setup = Setup::new(Board::Hex8, 2, Profile::Canonical).expect("two players play");
        let mut solved = 0;
        for game in 0..300 {
            let mut random = stream(11, Purpose::Playout, game);
            let mut states = vec![State::<Hex8>::new(setup)];
            let mut list = MoveList::new();
            while let Some(state) = states.last().filter(|state| state.outcome().is_none()) {
                let mut next = *state;
                next.legal_moves(&mut list);
                next.apply(list[random.below(list.len())]);
                states.push(next);
            }
            for state in states.iter().rev().skip(4).step_by(3).take(4) {
                state.legal_moves(&mut list);
                let Some(exact) = solve(state, &mut 3000) else { break };
                if list.len() < 2 {
                    continue;
                }
                let (found, _) = search(state, &list, &weights, 100_000);
                let best = found.iter().map(|values| values[state.mover()]).fold(f32::NEG_INFINITY, f32::max);
                assert_eq!(best, exact[state.mover()], "game {game}");
                solved += 1;
            }
        }
        assert!(solved > 50, "only {solved} positions were small enough to check");
    }

    #[test]
    fn a_swap_is_worth_the_other_seat() {
        // Only markers count: seat 1 has one, and nothing that seat 2 may do at once changes that.
        let weights = FEATURES.map(|(name, _)| (name == "markers") as u8 as f32);
        let setup = Setup::new(Board::Hex8, 2, Profile::Canonical).expect("two players play").with_swap(true);
        let mut state = State::<Hex8>::new(setup);
        for text in ["place_ring 0,0 n=3", "move_stack 0,0>0,3", "no_line_action", "no_territory_action"] {
            state.play(state.parse_move(text).expect("notation")).expect("legal");
        }
        let mut list = MoveList::new();
        state.legal_moves(&mut list);
        let swap = list.iter().position(|one| one.kind() == MoveKind::SwapSides).expect("on offer");
        let worths = |budget: usize| -> Vec<f32> {
            search(&state, &list, &weights, budget).0.iter().map(|values| values[state.mover()]).collect()
        };
        let at_once = worths(1);
        let best_other = |worths: &[f32]| {
            let others = worths.iter().enumerate().filter(|(index, _)| *index != swap);
            others.map(|(_, worth)| *worth).fold(f32::NEG_INFINITY, f32::max)
        };
        assert_eq!(at_once[swap], heuristic::values(&state, &weights)[0]);
        assert!(at_once[swap] > best_other(&at_once), "the swap is the most promising, so it is looked into first");
        // Below the swap lies the same position without the offer: the chooser then hopes for seat 1.
        let looked_into = worths(list.len() + 1);
        assert!((looked_into[swap] + best_other(&at_once)).abs() < 1e-5);
    }

    #[test]
    fn the_budget_bounds_the_search() {
        let weights = setting("baseline").expect("documented");
        let setup = Setup::new(Board::Hex8, 4, Profile::Canonical).expect("four players play");
        let state = State::<Hex8>::new(setup);
        let mut list = MoveList::new();
        state.legal_moves(&mut list);
        let (values, spent) = search(&state, &list, &weights, 1);
        assert_eq!((values.len(), spent), (list.len(), list.len()));
        assert!(values.iter().flatten().all(|value| value.is_finite()));
    }
}
