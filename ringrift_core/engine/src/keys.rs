//! Two 64-bit keys of a state, computed on demand (random play never pays for them): `identity` of the full state and
//! `search` without what cannot change the game that follows.
//!
//! As in Zobrist hashing a key is the XOR of one pseudo-random number per feature; the numbers come from a mixing
//! function instead of tables.

use crate::bits::Bits;
use crate::board::{Geometry, MAX_PLAYERS};
use crate::state::State;

/// A pseudo-random number for `value` in the context `tag` (the finalizer of SplitMix64).
#[inline(always)]
fn mix(tag: u64, value: u64) -> u64 {
    let mut word = value.wrapping_add(tag.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(0xD1B5_4A32_D192_ED03);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// Contexts of `mix`, far apart where they are followed by an index.
mod tag {
    pub const SETUP: u64 = 1;
    pub const MARKERS: u64 = 1 << 16;
    pub const COLLAPSED: u64 = 2 << 16;
    pub const STACK: u64 = 3 << 16;
    pub const DEEP_RING: u64 = 4 << 16;
    pub const AGE: u64 = 5 << 16;
    pub const COUNTS: u64 = 6 << 16;
    pub const TURN: u64 = 7 << 16;
    pub const RECENT: u64 = 8 << 16;
    pub const GONE: u64 = 9 << 16;
    pub const TRACKER: u64 = 10 << 16;
    pub const OUTCOME: u64 = 11 << 16;
    pub const NUMBER: u64 = 12 << 16;
    pub const RECORD: u64 = 13 << 16;
}

impl<G: Geometry> State<G> {
    /// Key of the full state: equal states have equal keys, and different ones differ but for chance (2^-64).
    pub fn identity_key(&self) -> u64 {
        let record = &self.record;
        let mut key = self.common_key() ^ mix(tag::NUMBER, self.turn.number as u64);
        let flags = self.setup.swap() as u64 | (record.swap_used as u64) << 1 | (record.seat2_moved as u64) << 2;
        key ^= mix(tag::RECORD, flags | (record.last_entry as u64) << 8);
        key ^= self.recent_key();
        for seat in 0..self.players() {
            key ^= mix(tag::GONE + seat as u64, record.gone_at[seat] as u64);
        }
        key
    }

    /// Key of what decides the game that follows: equal keys mean equal legal moves, successors and outcomes. Left out:
    /// the turn number (of `goneAt` only the order counts), how the offer of the pie rule came to an end, and in the
    /// deployed profile, where they decide nothing, the order of turn actions and the last entry.
    pub fn search_key(&self) -> u64 {
        let mut key = self.common_key() ^ mix(tag::RECORD, self.swap_is_open() as u64);
        if !self.setup.deployed() {
            key ^= self.recent_key();
        }
        for seat in 0..self.players() {
            key ^= mix(tag::GONE + seat as u64, self.gone_order(seat));
        }
        key
    }

    /// Can `swap_sides` still come up?
    fn swap_is_open(&self) -> bool {
        self.setup.swap() && self.players() == 2 && !self.record.swap_used && !self.record.seat2_moved
    }

    /// What ranking can tell of a seat's `goneAt`: 0 while it has rings; its order among earlier turns; or, from this turn
    /// on (where others may yet tie with it), the distance.
    fn gone_order(&self, seat: usize) -> u64 {
        let gone_at = self.record.gone_at;
        let number = self.turn.number;
        match gone_at[seat] {
            u32::MAX => 0,
            turn if turn >= number => 16 + (turn - number) as u64,
            turn => {
                let mut earlier: Vec<u32> = gone_at.into_iter().filter(|other| *other < turn).collect();
                earlier.sort_unstable();
                earlier.dedup();
                1 + earlier.len() as u64
            }
        }
    }

    fn common_key(&self) -> u64 {
        let setup = self.setup;
        let mut key =
            mix(tag::SETUP, setup.board() as u64 | (setup.players() as u64) << 8 | (setup.deployed() as u64) << 16);
        key ^= self.board_key() ^ self.turn_key() ^ self.tracker_key();
        for seat in 0..self.players() {
            let counts = self.hand[seat] as u64 | (self.credited[seat] as u64) << 16;
            key ^= mix(tag::COUNTS + seat as u64, counts);
        }
        if let Some(outcome) = self.record.outcome {
            let ranks = outcome.ranks.into_iter().fold(0, |all, rank| all << 8 | rank as u64);
            key ^= mix(tag::OUTCOME, ranks | (outcome.reason as u64) << 32 | (outcome.winner as u64) << 40);
        }
        key
    }

    fn board_key(&self) -> u64 {
        let mut key = 0;
        for seat in 0..self.players() {
            for (base, set) in [(tag::MARKERS, self.markers[seat]), (tag::COLLAPSED, self.collapsed[seat])] {
                set.for_each_word(|index, word| {
                    if word != 0 {
                        key ^= mix(base + (seat * 16 + index) as u64, word);
                    }
                });
            }
        }
        self.all_stacks().for_each(|slot| {
            let stack = self.stacks.at(slot);
            key ^= mix(tag::STACK + slot as u64, stack.with_age(0).0);
            for (index, colour) in self.stacks.deep_rings(slot).enumerate() {
                key ^= mix(tag::DEEP_RING + slot as u64, (index << 2 | colour) as u64);
            }
        });
        if self.setup.deployed() {
            for (order, slot) in self.stacks_by_age().into_iter().enumerate() {
                key ^= mix(tag::AGE + slot as u64, order as u64);
            }
        }
        key
    }

    fn turn_key(&self) -> u64 {
        let turn = &self.turn;
        let flags = [
            turn.line_debt,
            turn.line_done,
            turn.region_done,
            turn.changed,
            turn.recovered,
            turn.real_available,
            turn.real_taken,
        ];
        let flags = flags.into_iter().fold(0, |all, flag| all << 1 | flag as u64);
        let places = turn.must_move as u64 | (turn.capture_from as u64) << 16 | (turn.chain_from as u64) << 32;
        mix(tag::TURN, places)
            ^ mix(
                tag::TURN + 1,
                flags | (turn.region_debt as u64) << 8 | (self.seat as u64) << 16 | (self.phase as u64) << 24,
            )
    }

    fn tracker_key(&self) -> u64 {
        let tracker = &self.record.tracker;
        let marks = tracker
            .marks
            .into_iter()
            .fold(0, |all, mark| all << 3 | (mark.set as u64) << 2 | (mark.available as u64) << 1 | mark.taken as u64);
        mix(
            tag::TRACKER,
            marks
                | (tracker.leader as u64) << 16
                | (tracker.solo_seat as u64) << 24
                | (tracker.solo_count as u64) << 32,
        )
    }

    fn recent_key(&self) -> u64 {
        let recent = &self.record.recent[..self.record.recent_len as usize];
        let order = recent.iter().fold(0, |all, seat| all << 3 | (1 + *seat as u64));
        debug_assert!(recent.len() <= MAX_PLAYERS);
        mix(tag::RECENT, order)
    }
}
