//! The transposition table: what is known of positions that were searched before.

use crate::moves::Move;
use crate::players::values::Values;

/// What an entry's values say of the position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Bound {
    Exact,
    /// The worth to the mover is at least this.
    Lower,
    /// The worth to the mover is at most this.
    Upper,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    key: u64,
    pub values: Values,
    pub best: u32,
    /// Plies searched below; 0 marks an empty place.
    pub depth: u8,
    pub bound: Bound,
    /// Do the values rest on the evaluation of some position? If not, no deeper search finds others.
    pub estimated: bool,
}

const EMPTY: Entry = Entry { key: 0, values: [0.0; 4], best: 0, depth: 0, bound: Bound::Exact, estimated: false };

/// Stands for a pass, which no code does.
pub(super) const NO_MOVE: u32 = u32::MAX;

/// Most and fewest places, of 32 bytes each.
const MOST: usize = 1 << 20;
const FEWEST: usize = 1 << 10;

/// Grows with what it holds, so that short searches pay for little.
pub(super) struct Table {
    /// A power of two; empty where nothing is to be remembered.
    entries: Vec<Entry>,
    taken: usize,
}

impl Entry {
    pub fn new(values: Values, best: Option<Move>, depth: u32, bound: Bound, estimated: bool) -> Entry {
        let best = best.map_or(NO_MOVE, Move::code);
        Entry { key: 0, values, best, depth: depth.min(255) as u8, bound, estimated }
    }

    /// Do the values hold for a search of `depth` plies? Those of another depth are other values, unless a shallower
    /// search already saw the end.
    pub fn holds_at(&self, depth: u32) -> bool {
        let found = u32::from(self.depth);
        found == depth || found < depth && !self.estimated
    }
}

impl Table {
    pub fn new() -> Table {
        Table { entries: vec![EMPTY; FEWEST], taken: 0 }
    }

    /// Remembers nothing.
    pub fn none() -> Table {
        Table { entries: Vec::new(), taken: 0 }
    }

    pub fn is_none(&self) -> bool {
        self.entries.is_empty()
    }

    #[inline(always)]
    fn place(&self, key: u64) -> usize {
        key as usize & self.entries.len().wrapping_sub(1)
    }

    #[inline]
    pub fn probe(&self, key: u64) -> Option<&Entry> {
        let entry = self.entries.get(self.place(key))?;
        (entry.key == key && entry.depth > 0).then_some(entry)
    }

    /// Replaces what was there: later iterations know more.
    #[inline]
    pub fn store(&mut self, key: u64, entry: Entry) {
        if self.entries.is_empty() {
            return;
        }
        if 2 * self.taken > self.entries.len() && self.entries.len() < MOST {
            self.grow();
        }
        let place = self.place(key);
        self.taken += (self.entries[place].depth == 0) as usize;
        self.entries[place] = Entry { key, ..entry };
    }

    #[cold]
    fn grow(&mut self) {
        let wider = vec![EMPTY; 4 * self.entries.len()];
        for entry in std::mem::replace(&mut self.entries, wider) {
            let place = self.place(entry.key);
            if entry.depth > 0 {
                self.entries[place] = entry;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_outlive_growth_and_no_other_key_finds_them() {
        let mut table = Table::new();
        for key in 1..=FEWEST as u64 {
            let values = [key as f32, 0.0, 0.0, 0.0];
            table.store(key, Entry::new(values, None, 3, Bound::Exact, true));
        }
        assert!(table.entries.len() > FEWEST);
        for key in 1..=FEWEST as u64 {
            assert_eq!(table.probe(key).map(|entry| entry.values[0]), Some(key as f32));
            assert!(table.probe(key + (1 << 40)).is_none());
        }
        assert!(Table::none().probe(1).is_none());
    }

    #[test]
    fn a_shallower_entry_holds_only_where_it_saw_the_end() {
        let entry = |estimated| Entry::new([0.0; 4], None, 3, Bound::Exact, estimated);
        assert!(entry(true).holds_at(3) && !entry(true).holds_at(4) && !entry(true).holds_at(2));
        assert!(entry(false).holds_at(3) && entry(false).holds_at(4) && !entry(false).holds_at(2));
    }
}
