//! Last player standing (section 9.3, R172 and R207), and the deployed profile's tracker (its items 10 and 12).

use crate::board::Geometry;
use crate::state::{Mark, Reason, State, NO_SEAT};

/// Rounds alone with real actions that win the game.
const SOLO_ROUNDS: u16 = 3;

impl<G: Geometry> State<G> {
    /// The turn end of section 9.3: marks the mover, closes the round if the move would pass to or beyond the leader, and
    /// passes the lead on if the leader is gone. Returns the winner, if the third solo round closed.
    pub(crate) fn close_turn_for_tracker(&mut self) -> Option<usize> {
        let next = self.next_in_rotation();
        let mover = self.mover();
        let mark = Mark { set: true, available: self.turn.real_available, taken: self.turn.real_taken };
        self.record.tracker.marks[mover] = mark;
        let next = next?;
        let players = self.players();
        let leader = self.record.tracker.leader as usize;
        let steps_to = |seat: usize| (seat + players - mover - 1) % players;
        let closes = steps_to(leader) <= steps_to(next);
        if closes {
            self.judge_round();
            if self.record.tracker.solo_count == SOLO_ROUNDS {
                return Some(self.record.tracker.solo_seat as usize);
            }
        }
        if self.is_gone(leader) {
            self.record.tracker.leader = next as u8;
            self.record.tracker.marks = Default::default();
            self.drop_gone_solo_seat();
        }
        None
    }

    fn judge_round(&mut self) {
        let tracker = &mut self.record.tracker;
        let mut available = (0..).zip(tracker.marks).filter(|(_, mark)| mark.set && mark.available);
        match (available.next(), available.next()) {
            (Some((seat, mark)), None) if mark.taken => {
                tracker.solo_count = if tracker.solo_seat == seat { tracker.solo_count + 1 } else { 1 };
                tracker.solo_seat = seat;
            }
            _ => {
                tracker.solo_count = 0;
                tracker.solo_seat = NO_SEAT;
            }
        }
        tracker.marks = Default::default();
        // The recorded games keep the count of a seat that lost its last ring in the closing turn itself (README, "Doubts").
        let seat = tracker.solo_seat;
        let lost_now = seat != NO_SEAT && self.record.gone_at[seat as usize] == self.turn.number;
        if !lost_now || tracker.solo_count == SOLO_ROUNDS {
            self.drop_gone_solo_seat();
        }
    }

    fn drop_gone_solo_seat(&mut self) {
        let seat = self.record.tracker.solo_seat;
        if seat != NO_SEAT && self.is_gone(seat as usize) {
            self.record.tracker.solo_seat = NO_SEAT;
            self.record.tracker.solo_count = 0;
        }
    }

    /// Profile deployed, item 12: the start of a turn of `self.mover()`, whose `real_available` is known.
    pub(crate) fn open_deployed_turn(&mut self) {
        let mover = self.mover();
        let gone: [bool; 4] = std::array::from_fn(|seat| seat >= self.players() || self.is_gone(seat));
        let in_rotation = |seat: u8| seat != NO_SEAT && !gone[seat as usize];
        let tracker = &mut self.record.tracker;
        if !in_rotation(tracker.leader) {
            tracker.leader = mover as u8;
            tracker.marks = Default::default();
            if !in_rotation(tracker.solo_seat) {
                tracker.solo_count = 0;
            }
        } else if tracker.leader as usize == mover && tracker.marks.iter().any(|mark| mark.set) {
            let mut available = (0u8..).zip(tracker.marks).filter(|(seat, mark)| in_rotation(*seat) && mark.available);
            match (available.next(), available.next()) {
                (Some((seat, _)), None) => {
                    tracker.solo_count =
                        if tracker.solo_seat == seat { tracker.solo_count.saturating_add(1) } else { 1 };
                    tracker.solo_seat = seat;
                }
                _ => {
                    tracker.solo_count = 0;
                    tracker.solo_seat = NO_SEAT;
                }
            }
            tracker.marks = Default::default();
        }
        let available = self.turn.real_available;
        tracker.marks[mover] = Mark { set: true, available, taken: false };
        let due = tracker.solo_count >= SOLO_ROUNDS && tracker.solo_seat as usize == mover && available;
        let alone = |seat: usize| seat == mover || gone[seat] || !self.has_real_action(seat);
        if due && (0..self.players()).all(alone) {
            self.finish(mover, Reason::LastPlayerStanding);
        }
    }
}
