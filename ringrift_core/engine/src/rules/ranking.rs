//! Ranks of all seats (section 9.4, R175-R178).

use crate::bits::Bits;
use crate::board::{Geometry, MAX_PLAYERS};
use crate::state::State;

impl<G: Geometry> State<G> {
    /// Rank 1 for the winner; the others by territory, eliminations, own markers, and how late they lost their last
    /// ring. Full ties share a rank and skip the next (1-2-2-4).
    pub(crate) fn ranks(&self, winner: usize) -> [u8; MAX_PLAYERS] {
        let key = |seat: usize| {
            (
                seat == winner,
                self.territory[seat],
                self.credited[seat],
                self.markers[seat].count(),
                self.record.gone_at[seat],
            )
        };
        let mut ranks = [0; MAX_PLAYERS];
        for (seat, rank) in ranks.iter_mut().enumerate().take(self.players()) {
            let better = (0..self.players()).filter(|other| key(*other) > key(seat)).count();
            *rank = 1 + better as u8;
        }
        ranks
    }
}
