//! The end of a game (section 9): tested at turn ends only.

use crate::bits::Bits;
use crate::board::{Geometry, MAX_PLAYERS};
use crate::state::{Outcome, Phase, Reason, State};

impl<G: Geometry> State<G> {
    /// The outcome, once the game is over.
    pub fn outcome(&self) -> Option<Outcome> {
        self.record.outcome
    }

    /// Runs the victory tests of a turn end in their order; true if the game is over.
    pub(crate) fn finish_if_won(&mut self) -> bool {
        if let Some(seat) = self.elimination_winner() {
            self.finish(seat, Reason::RingElimination);
        } else if let Some(seat) = self.territory_winner() {
            self.finish(seat, Reason::TerritoryControl);
        } else if self.setup.deployed() {
            if let Some(seat) = self.early_winner() {
                self.finish(seat, Reason::LastPlayerStandingEarly);
            }
        } else if let Some(seat) = self.close_turn_for_tracker() {
            self.finish(seat, Reason::LastPlayerStanding);
        }
        if self.record.outcome.is_none() && self.is_stalemate() {
            self.finish_stalemate();
        }
        self.record.outcome.is_some()
    }

    pub(crate) fn finish(&mut self, winner: usize, reason: Reason) {
        self.record.outcome = Some(Outcome { winner, ranks: self.ranks(winner), reason });
        self.seat = winner as u8;
        self.phase = Phase::GameOver;
    }

    /// Why a finished game was won by `winner`, as far as the board tells.
    pub(crate) fn assumed_reason(&self, winner: usize) -> Reason {
        if self.elimination_winner() == Some(winner) {
            Reason::RingElimination
        } else if self.territory_winner() == Some(winner) {
            Reason::TerritoryControl
        } else if self.all_stacks().is_empty() {
            Reason::Stalemate
        } else if self.setup.deployed() && self.early_winner() == Some(winner) {
            Reason::LastPlayerStandingEarly
        } else {
            Reason::LastPlayerStanding
        }
    }

    fn elimination_winner(&self) -> Option<usize> {
        let target = G::BOARD.elimination_target(self.players());
        (0..self.players()).find(|seat| self.credited[*seat] as u32 >= target)
    }

    fn territory_winner(&self) -> Option<usize> {
        let minimum = G::BOARD.territory_minimum(self.players());
        let total: u32 = self.territory.iter().map(|cells| *cells as u32).sum();
        (0..self.players()).find(|seat| {
            let own = self.territory[*seat] as u32;
            own >= minimum && own > total - own
        })
    }

    /// Profile deployed, item 11: one seat controls stacks and no other has a ring anywhere.
    fn early_winner(&self) -> Option<usize> {
        let mut left = (0..self.players()).filter(|seat| !self.is_gone(*seat));
        match (left.next(), left.next()) {
            (Some(seat), None) if !self.controlled[seat].is_empty() => Some(seat),
            _ => None,
        }
    }

    /// No stack on the board and nobody with a legal placement (R173).
    fn is_stalemate(&self) -> bool {
        self.all_stacks().is_empty() && !(0..self.players()).any(|seat| self.has_placement(seat))
    }

    fn finish_stalemate(&mut self) {
        let mut eliminated = self.credited;
        for (rings, hand) in eliminated.iter_mut().zip(self.hand) {
            *rings += hand;
        }
        let newest_action = |seat: usize| {
            if self.setup.deployed() {
                return (self.record.last_entry as usize == seat) as usize;
            }
            let recent = &self.record.recent[..self.record.recent_len as usize];
            recent.iter().position(|other| *other as usize == seat).map_or(0, |index| index + 1)
        };
        let key =
            |seat: usize| (self.territory[seat], eliminated[seat], self.markers[seat].count(), newest_action(seat));
        // Strictly greater: among full ties the lowest seat wins (note D14).
        let winner = (1..self.players()).fold(0, |best, seat| if key(seat) > key(best) { seat } else { best });
        // Profile deployed, item 13: hands count but are not moved.
        let (credited, hand) = (self.credited, self.hand);
        self.credited = eliminated;
        self.hand = [0; MAX_PLAYERS];
        self.finish(winner, Reason::Stalemate);
        if self.setup.deployed() {
            (self.credited, self.hand) = (credited, hand);
        }
    }
}
