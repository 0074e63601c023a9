//! The order in which moves are tried: the sooner the best one, the more alpha-beta prunes. No order changes a value.
//!
//! Not among the ways: the evaluation right after each move. Most decisions are the middle of a turn, whose evaluation says
//! little of its end, and the nodes it costs are not saved (benchmarks/search has the figures).

use crate::moves::{Move, MoveKind};

use super::table::NO_MOVE;

/// What orders moves; each can be switched on and off to measure it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ordering {
    /// The table's best move first.
    pub table: bool,
    /// Regions, lines and captures before moves and skips, where the history knows neither.
    pub kinds: bool,
    /// Moves that cut off a sibling.
    pub killers: bool,
    /// Moves that cut off often, anywhere in this search.
    pub history: bool,
}

impl Ordering {
    /// What measured best: kinds cost more nodes than they save (benchmarks/search).
    pub const BEST: Ordering = Ordering { table: true, kinds: false, killers: true, history: true };
    pub const NONE: Ordering = Ordering { table: false, kinds: false, killers: false, history: false };

    /// The best with one of the four switched, to measure each.
    pub const SWITCHED: [(&'static str, Ordering); 4] = [
        ("without the table's move", Ordering { table: false, ..Ordering::BEST }),
        ("without killers", Ordering { killers: false, ..Ordering::BEST }),
        ("without history", Ordering { history: false, ..Ordering::BEST }),
        ("with kinds", Ordering { kinds: true, ..Ordering::BEST }),
    ];
}

/// Places of the history; moves share them by hash.
const HISTORY: usize = 1 << 13;
/// Ranks of the classes of moves, each above all that the next one can reach.
const TABLE_MOVE: f32 = 4e9;
const KILLER: f32 = 1e9;
/// Only where the history says nothing.
const KIND: f32 = 0.1;
const MOST_HISTORY: f32 = 5e7;

/// What a search remembers of the moves that cut off.
pub(super) struct Memory {
    killers: Vec<[u32; 2]>,
    history: Box<[f32; HISTORY]>,
}

#[inline(always)]
fn place(seat: usize, one: Move) -> usize {
    ((one.code() ^ (seat as u32) << 30).wrapping_mul(0x9E37_79B1) >> 19) as usize
}

impl Memory {
    pub fn new() -> Memory {
        Memory { killers: Vec::new(), history: Box::new([0.0; HISTORY]) }
    }

    fn killers_at(&self, ply: usize) -> [u32; 2] {
        self.killers.get(ply).copied().unwrap_or([NO_MOVE; 2])
    }

    /// A move made further ones needless.
    pub fn cut_off(&mut self, ply: usize, seat: usize, one: Move, depth: u32) {
        if self.killers.len() <= ply {
            self.killers.resize(ply + 1, [NO_MOVE; 2]);
        }
        let killers = &mut self.killers[ply];
        if killers[0] != one.code() {
            *killers = [one.code(), killers[0]];
        }
        let count = &mut self.history[place(seat, one)];
        *count = (*count + (depth * depth) as f32).min(MOST_HISTORY);
    }

    /// Writes the rank of each move; the highest is tried first.
    pub fn rank(
        &self,
        ranks: &mut Vec<f32>,
        list: &[Move],
        ordering: Ordering,
        ply: usize,
        seat: usize,
        best: Option<u32>,
    ) {
        ranks.clear();
        let killers = if ordering.killers { self.killers_at(ply) } else { [NO_MOVE; 2] };
        ranks.extend(list.iter().map(|one| {
            let code = one.code();
            let mut rank = 0.0;
            if ordering.table && best == Some(code) {
                rank += TABLE_MOVE;
            }
            if code == killers[0] || code == killers[1] {
                rank += KILLER;
            }
            if ordering.kinds {
                rank += KIND * urgency(one.kind()) as f32;
            }
            if ordering.history {
                rank += self.history[place(seat, *one)];
            }
            rank
        }));
    }
}

/// How much a kind of move tends to change.
const fn urgency(kind: MoveKind) -> u32 {
    match kind {
        MoveKind::ChooseTerritoryOption => 4,
        MoveKind::ProcessLine | MoveKind::ChooseWholeLine | MoveKind::ChooseLineSegment => 4,
        MoveKind::RecoveryLine | MoveKind::RecoverySegment => 3,
        MoveKind::ContinueCaptureSegment | MoveKind::OvertakingCapture => 2,
        MoveKind::MoveStack | MoveKind::PlaceRing => 1,
        _ => 0,
    }
}

/// Brings the highest-ranked of the moves from `from` on to its place; ties keep the order of the legal list.
#[inline(always)]
pub(super) fn pick(ranks: &mut [f32], order: &mut [u16], from: usize) -> usize {
    let mut best = from;
    for index in from + 1..ranks.len() {
        if ranks[index] > ranks[best] || ranks[index] == ranks[best] && order[index] < order[best] {
            best = index;
        }
    }
    ranks.swap(from, best);
    order.swap(from, best);
    order[from] as usize
}
