//! Max^n (Luckhardt and Irani 1986): every seat does the best for itself.
//!
//! Shallow pruning (Korf 1991) needs a sum of all values and a least value that are close to what is being compared; an
//! evaluation here is about 1 and a win 1000, so only immediate pruning is left: nothing is better than a win.

use crate::board::{Geometry, MAX_PLAYERS};
use crate::players::judge::Judge;
use crate::players::values::{self, Values, WON};
use crate::state::State;

use super::search::{Node, Search};
use super::table::{Bound, Entry};

impl<G: Geometry, J: Judge> Search<'_, G, J> {
    /// Values of a position in which somebody has a choice, whose legal moves are in the frame of its ply. Of equal moves
    /// the first of the legal list counts, since what they leave to others differs.
    pub(super) fn max_n(&mut self, state: &State<G>, node: Node) -> Values {
        let mover = state.mover();
        let key = if self.table.is_none() { 0 } else { state.search_key() };
        if let Some(entry) = self.table.probe(key) {
            if entry.holds_at(node.depth) {
                self.estimated |= entry.estimated;
                return entry.values;
            }
        }
        let outside = std::mem::replace(&mut self.estimated, false);
        self.sight.approach(state, node.ply + 1);
        let frame = self.take_frame(node.ply);
        let (mut best, mut most, mut best_move) = ([0.0; MAX_PLAYERS], f32::NEG_INFINITY, None);
        for one in frame.list.iter() {
            let values = self.below(state, Some(*one), node);
            if self.meter.is_spent() {
                break;
            }
            if values[mover] > most {
                (best, most, best_move) = (values, values[mover], Some(*one));
            }
            if most >= WON {
                best = values::won_by(mover, state.players());
                self.estimated = false;
                break;
            }
        }
        self.put_back(node.ply, frame);
        if !self.meter.is_spent() {
            self.table.store(key, Entry::new(best, best_move, node.depth, Bound::Exact, self.estimated));
        }
        self.estimated |= outside;
        best
    }
}
