//! Alpha-beta (Knuth and Moore 1975), fail-soft, between one seat and all others.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::players::judge::Judge;
use crate::players::values::{Values, WON};
use crate::state::State;

use super::ordering::pick;
use super::search::{Frame, Node, Search};
use super::table::{Bound, Entry};

impl<G: Geometry, J: Judge> Search<'_, G, J> {
    /// Values of a position in which somebody has a choice, whose legal moves are in the frame of its ply.
    pub(super) fn alpha_beta(&mut self, state: &State<G>, node: Node) -> Values {
        let mover = state.mover();
        let (low, high) = node.aim.window(mover, node.alpha, node.beta);
        // A key costs about as much as a position: worth it where many lie below.
        let key = if self.table.is_none() { 0 } else { state.search_key() ^ node.aim.key() };
        let known = self.table.probe(key).copied();
        if let Some(entry) = known {
            if let Some(values) = self.answer(&entry, node, mover, (low, high)) {
                return values;
            }
        }
        let outside = std::mem::replace(&mut self.estimated, false);
        let mut frame = self.take_frame(node.ply);
        self.order_moves(&mut frame, state, node, known.map(|entry| entry.best));
        let values = self.try_moves(&mut frame, state, node, (low, high), key);
        self.put_back(node.ply, frame);
        self.estimated |= outside;
        values
    }

    /// What the table knows, if it settles the matter.
    fn answer(&mut self, entry: &Entry, node: Node, mover: usize, (low, high): (f32, f32)) -> Option<Values> {
        let worth = node.aim.worth(&entry.values, mover);
        let settled = match entry.bound {
            Bound::Exact => true,
            Bound::Lower => worth >= high,
            Bound::Upper => worth <= low,
        };
        if !settled || !entry.holds_at(node.depth) {
            return None;
        }
        self.estimated |= entry.estimated;
        Some(entry.values)
    }

    fn order_moves(&mut self, frame: &mut Frame, state: &State<G>, node: Node, best: Option<u32>) {
        let (ordering, mover) = (self.settings.ordering, state.mover());
        self.memory.rank(&mut frame.ranks, &frame.list, ordering, node.ply, mover, best);
        if node.aim.may_pass(state) {
            frame.ranks.push(0.0);
        }
        frame.order.clear();
        frame.order.extend(0..frame.ranks.len() as u16);
    }

    fn try_moves(
        &mut self,
        frame: &mut Frame,
        state: &State<G>,
        node: Node,
        (mut low, high): (f32, f32),
        key: u64,
    ) -> Values {
        self.sight.approach(state, node.ply + 1);
        let mover = state.mover();
        let lowest = low;
        let (mut best, mut most, mut best_move) = ([0.0; MAX_PLAYERS], f32::NEG_INFINITY, None);
        for tried in 0..frame.order.len() {
            let one = frame.list.get(pick(&mut frame.ranks, &mut frame.order, tried)).copied();
            let (alpha, beta) = node.aim.hero_window(mover, low, high);
            let values = self.below(state, one, Node { alpha, beta, ..node });
            if self.meter.is_spent() {
                return best;
            }
            let worth = node.aim.worth(&values, mover);
            if worth > most {
                (best, most, best_move) = (values, worth, one);
                low = low.max(worth);
            }
            if most >= high {
                if let Some(one) = one {
                    self.memory.cut_off(node.ply, mover, one, node.depth);
                }
                break;
            }
        }
        let bound = match most {
            _ if most >= high => Bound::Lower,
            _ if most <= lowest => Bound::Upper,
            _ => Bound::Exact,
        };
        // A win is one whatever else was tried, and so is a loss if no move does better.
        self.estimated &= most.abs() < WON;
        self.table.store(key, Entry::new(best, best_move, node.depth, bound, self.estimated));
        best
    }
}
