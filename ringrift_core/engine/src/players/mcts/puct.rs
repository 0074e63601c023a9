//! PUCT: selection by mean value and a prior-weighted bonus (Silver et al. 2018, supplementary material).

use rand_distr::{Distribution, Gamma};

use crate::board::Geometry;
use crate::players::mcts::tree::{Node, Tree};
use crate::playout::Random;

/// Exploration: c(s) = ln((1 + N + C_BASE) / C_BASE) + C_INIT, for values between 0 and 1 (Silver et al. 2018).
const C_BASE: f32 = 19_652.0;
const C_INIT: f32 = 1.25;
/// Dirichlet noise at the root has this total concentration (Wu 2019: about that of 19x19 Go's 0.03 a move).
const DIRICHLET_TOTAL: f32 = 10.83;

/// The unproven edge to follow; `priors` stand in for the node's own where given. None when all edges are proven.
pub fn select<G: Geometry>(tree: &Tree<G>, node: &Node<G>, priors: Option<&[f32]>) -> Option<usize> {
    let mover = node.state.mover();
    let visits = node.visits.max(1) as f32;
    let explore = (((1.0 + visits + C_BASE) / C_BASE).ln() + C_INIT) * visits.sqrt();
    let visited: f32 = node.edges.iter().filter(|edge| edge.child().is_some()).map(|edge| edge.prior).sum();
    let unvisited = node.mean[mover] + node.first_play * visited.sqrt();
    let mut best = None;
    let mut highest = f32::NEG_INFINITY;
    for (index, edge) in node.edges.iter().enumerate() {
        if tree.is_proven(edge) {
            continue;
        }
        let prior = priors.map_or(edge.prior, |priors| priors[index]);
        let value = tree.value(edge).map_or(unvisited, |values| values[mover]);
        let score = value + explore * prior / (1 + tree.visits(edge)) as f32;
        if score > highest {
            (best, highest) = (Some(index), score);
        }
    }
    best
}

/// Share of each edge of the root in its visits. A move proven lost has none unless all are; a proven win has all.
pub fn shares<G: Geometry>(tree: &Tree<G>, root: &Node<G>) -> Vec<f32> {
    let mover = root.state.mover();
    let worth = |edge| {
        let lost = tree.is_proven(edge) && tree.value(edge).is_some_and(|values| values[mover] <= 0.0);
        if lost {
            0.0
        } else {
            tree.visits(edge) as f32
        }
    };
    let mut shares: Vec<f32> = root.edges.iter().map(worth).collect();
    if shares.iter().all(|share| *share == 0.0) {
        shares = root.edges.iter().map(|edge| tree.visits(edge) as f32).collect();
    }
    let total: f32 = shares.iter().sum();
    if total == 0.0 {
        return root.edges.iter().map(|edge| edge.prior).collect();
    }
    shares.iter_mut().for_each(|share| *share /= total);
    shares
}

/// The edge with the largest share; of equals the one of the highest value, then the earlier.
pub fn best<G: Geometry>(tree: &Tree<G>, root: &Node<G>, shares: &[f32]) -> usize {
    let mover = root.state.mover();
    let key = |edge: usize| (shares[edge], tree.value(&root.edges[edge]).map_or(0.0, |values| values[mover]));
    (0..shares.len()).fold(0, |best, edge| if key(edge) > key(best) { edge } else { best })
}

/// A draw from the symmetric Dirichlet distribution, for as many moves.
pub fn dirichlet(moves: usize, random: &mut Random) -> Vec<f32> {
    let Ok(gamma) = Gamma::new(DIRICHLET_TOTAL / moves as f32, 1.0) else { return Vec::new() };
    let mut draws: Vec<f32> = (0..moves).map(|_| gamma.sample(random.generator())).collect();
    let total: f32 = draws.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    draws.iter_mut().for_each(|draw| *draw /= total);
    draws
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8};
    use crate::moves::MoveList;
    use crate::players::known_answers::legal;
    use crate::setup::{Profile, Setup};
    use crate::state::State;

    /// A visited move with a quarter of the prior, and a first visit that loses 0.1 x sqrt(0.25) of the node's mean.
    #[test]
    fn an_unvisited_move_counts_as_its_nodes_mean_with_first_play_added() {
        let state = State::<Hex8>::new(Setup::new(Board::Hex8, 2, Profile::Canonical).expect("playable"));
        for (value, first) in [(0.46, true), (0.44, false)] {
            let mut tree = Tree::new(state, &legal(&state));
            let leaf = tree.grow(0, 0, &mut MoveList::new());
            tree.back_up(&[], leaf, [value, 1.0 - value, 0.0, 0.0]);
            let root = &mut tree.nodes[0];
            (root.visits, root.mean, root.first_play) = (2, [0.5, 0.5, 0.0, 0.0], -0.1);
            root.edges[0].prior = 0.25;
            let nothing_to_explore = vec![0.0; root.edges.len()];
            let selected = select(&tree, &tree.nodes[0], Some(&nothing_to_explore));
            assert_eq!(selected == Some(0), first, "{value}: {selected:?}");
        }
    }
}
