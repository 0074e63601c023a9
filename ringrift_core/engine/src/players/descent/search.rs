//! The search of one agent in one game, from decision to decision.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::budget::Meter;
use crate::players::calibration::Calibration;
use crate::players::descent::tree::{Tree, Worth};
use crate::players::descent::{ordinal, Growth, Settings};
use crate::players::judge::{Judge, Sight};
use crate::players::values::Values;
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
    pub fn choose<J: Judge>(
        &mut self,
        state: &State<G>,
        legal: &[Move],
        judge: &J,
        settings: &Settings,
        random: &mut Random,
        stopped: &AtomicBool,
    ) -> Choice {
        let mut meter = Meter::start(&settings.budget, stopped);
        let mut sight = Sight::of(judge);
        let known = self.reached.take().zip(self.tree.take());
        let mut tree = match known.filter(|(reached, tree)| tree.is(*reached, state)) {
            Some((reached, tree)) => tree.rooted_at(reached),
            None => {
                let (tree, spent) = Tree::new(*state, legal, &mut sight);
                meter.count_nodes(spent);
                tree
            }
        };
        let mut list = MoveList::new();
        while !meter.is_spent() && !tree.nodes[0].worth.resolved {
            grow_best_line(&mut tree, &mut sight, settings.growth, &mut meter, &mut list);
        }
        let (index, values, worths) = decide(&tree, settings.exploration, random);
        let calibration = judge.calibration(&state.setup);
        let found = Found {
            values: calibration.probabilities(&values, state.players()),
            policy: calibration.policy_of_search(&worths),
            nodes: meter.nodes(),
            inner: inner(&tree, settings.inner, calibration),
        };
        (self.tree, self.reached) = (Some(tree), Some(0));
        Choice { index, found: Some(found) }
    }

    /// What is kept takes so much memory, about.
    pub fn bytes(&self) -> u64 {
        self.tree.as_ref().map_or(0, Tree::bytes)
    }

    /// A decision was made in the game, by any agent.
    pub fn decided(&mut self, one: Move) {
        self.reached = self.tree.as_ref().zip(self.reached).and_then(|(tree, node)| tree.below(node, one));
    }
}

/// Follows the best line to its end, grows it there, and takes the news back to the root.
fn grow_best_line<G: Geometry, J: Judge>(
    tree: &mut Tree<G>,
    sight: &mut Sight<'_, G, J>,
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
            meter.count_nodes(tree.grow(node, child, sight, list));
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
fn inner<G: Geometry>(tree: &Tree<G>, most: usize, calibration: Calibration) -> Vec<Inner> {
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
            let values = calibration.probabilities(&tree.nodes[below].worth.values, state.players());
            found.push((child.visits, Inner { moves: moves.clone(), values }));
            open.push_back((below, moves));
        }
    }
    found.sort_by_key(|(visits, _)| std::cmp::Reverse(*visits));
    found.truncate(most);
    found.into_iter().map(|(_, inner)| inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8};
    use crate::players::budget::Budget;
    use crate::players::known_answers::{after, legal};
    use crate::players::linear::Linear;
    use crate::players::play_forced;
    use crate::setup::{Profile, Setup};

    fn start(players: usize) -> State<Hex8> {
        State::new(Setup::new(Board::Hex8, players, Profile::Canonical).expect("playable").with_swap(players == 2))
    }

    fn baseline() -> Linear {
        Linear::of_setting("baseline").expect("documented")
    }

    fn settings(nodes: u64) -> Settings {
        Settings { budget: Budget::of_nodes(nodes), growth: Growth::OnePosition, exploration: 0.0, inner: 0 }
    }

    /// Every link leads to the position after its move.
    fn check_links(tree: &Tree<Hex8>) {
        let mut list = MoveList::new();
        for node in &tree.nodes {
            for child in &node.children {
                let Some(below) = child.node else { continue };
                let mut state = after(&node.state, child.one);
                play_forced(&mut state, &mut list);
                assert!(tree.is(below as usize, &state));
            }
        }
    }

    /// A game of one agent at all seats: what the graph knows below the move played is found again at the next decision,
    /// with all its links and values, at no cost; and the move played is the safest of each search.
    #[test]
    fn what_is_known_of_a_position_is_kept_between_decisions() {
        let (judge, never, mut random) = (baseline(), AtomicBool::new(false), Random::new(1));
        for players in [2, 3] {
            let (mut search, mut state, mut list) = (Search::default(), start(players), MoveList::new());
            let (mut kept, mut renumbered) = (0, 0);
            loop {
                play_forced(&mut state, &mut list);
                if list.is_empty() {
                    break;
                }
                let known = search.tree.as_ref().zip(search.reached).map(|(tree, node)| {
                    let worths = tree.nodes[node].children.iter().map(|child| tree.worth(child)).collect::<Vec<_>>();
                    renumbered += (node > 1) as usize;
                    (tree.nodes[node].worth, worths)
                });
                let mut choose = |nodes| search.choose(&state, &list, &judge, &settings(nodes), &mut random, &never);
                let untouched = choose(0).found.expect("searched").nodes;
                let tree = search.tree.as_ref().expect("kept");
                assert!(tree.is(0, &state));
                check_links(tree);
                assert_eq!(untouched == 0, known.is_some());
                if let Some((worth, worths)) = known {
                    assert_eq!(tree.nodes[0].worth, worth);
                    assert!(tree.nodes[0].children.iter().map(|child| tree.worth(child)).eq(worths));
                    kept += 1;
                }
                let index = search.choose(&state, &list, &judge, &settings(20_000), &mut random, &never).index;
                let tree = search.tree.as_ref().expect("kept");
                check_links(tree);
                check_no_position_twice(tree);
                check_safest(tree, index);
                search.decided(list[index]);
                state.apply(list[index]);
            }
            assert!(kept > 5 && renumbered > 5, "{kept} kept, {renumbered} renumbered");
        }
    }

    fn check_no_position_twice(tree: &Tree<Hex8>) {
        let keys: std::collections::HashSet<u64> = tree.nodes.iter().map(|node| node.state.search_key()).collect();
        assert_eq!(keys.len(), tree.nodes.len());
    }

    /// Nothing proven lost is chosen before anything open, nor a move that was visited less than another.
    fn check_safest(tree: &Tree<Hex8>, index: usize) {
        let root = &tree.nodes[0];
        let safety = |child: &crate::players::descent::tree::Child| {
            (tree.worth(child).completion(root.state.mover()), child.visits)
        };
        assert_eq!(Some(safety(&root.children[index])), root.children.iter().map(safety).max());
    }

    #[test]
    fn another_position_than_the_expected_one_is_searched_anew() {
        let (judge, never, mut random) = (baseline(), AtomicBool::new(false), Random::new(1));
        let (mut search, state) = (Search::default(), start(2));
        let moves = legal(&state);
        let index = search.choose(&state, &moves, &judge, &settings(3000), &mut random, &never).index;
        search.decided(moves[index]);
        assert!(search.reached.is_some());
        let other = after(&state, moves[(index + 1) % moves.len()]);
        let choice = search.choose(&other, &legal(&other), &judge, &settings(0), &mut random, &never);
        assert_eq!(choice.found.expect("searched").nodes, legal(&other).len() as u64);
    }

    #[test]
    fn a_line_grows_by_one_position_or_to_the_end_of_the_game() {
        let (judge, never) = (baseline(), AtomicBool::new(false));
        for growth in [Growth::OnePosition, Growth::ToTheEnd] {
            let state = start(2);
            let mut sight = Sight::of(&judge);
            let (mut tree, _) = Tree::new(state, &legal(&state), &mut sight);
            let mut meter = Meter::start(&Budget::default(), &never);
            grow_best_line(&mut tree, &mut sight, growth, &mut meter, &mut MoveList::new());
            let (mut node, mut plies, mut decided) = (0, 0, false);
            while let Some(child) = tree.nodes[node].children.iter().find(|child| child.visits > 0) {
                (plies, decided) = (plies + 1, tree.worth(child).resolved && child.node.is_none());
                let Some(below) = child.node else { break };
                node = below as usize;
            }
            match growth {
                Growth::OnePosition => assert!(plies == 1 && tree.nodes.len() == 2),
                Growth::ToTheEnd => {
                    assert!(plies > 10 && (decided || tree.nodes[node].worth.resolved), "{plies} plies")
                }
            }
        }
    }
}
