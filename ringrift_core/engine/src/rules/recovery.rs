//! Recovery slides (section 8, R110-R115).

use crate::bits::Bits;
use crate::board::Geometry;
use crate::moves::{Move, MoveKind, MoveList, NO_CELL};
use crate::rays;
use crate::rules::lines::Run;
use crate::state::State;

/// Order in which the deployed profile looks for a line (item 9): E, SE, S, NE; the hex axes in their own order.
const DEPLOYED_AXES: [usize; 4] = [0, 2, 1, 3];

impl<G: Geometry> State<G> {
    /// Lists the slides of the recovery-eligible mover.
    pub(crate) fn list_recovery_slides(&self, list: &mut MoveList) {
        let mover = self.mover();
        let open = G::CELLS & !self.all_collapsed() & !self.all_markers();
        let empty = open & !self.all_stacks();
        let mut line_exists = false;
        self.each_slide(|from, to| {
            if empty.has(to) {
                if let Some(run) = self.slide_line(from, to) {
                    line_exists = true;
                    self.list_line_slides(from, to, run, list);
                }
            }
        });
        if line_exists {
            return;
        }
        let payers = self.payers();
        debug_assert!(!payers.is_empty() && self.controlled[mover].is_empty());
        self.each_slide(|from, to| {
            if open.has(to) {
                let kind = if empty.has(to) { MoveKind::RecoveryFallback } else { MoveKind::RecoveryStrike };
                payers.for_each(|payer| {
                    list.push(Move::new(kind, Self::cell_of(from), Self::cell_of(to), Self::cell_of(payer)));
                });
            }
        });
    }

    /// Calls `visit` with every marker of the mover and each of its neighbours.
    fn each_slide(&self, mut visit: impl FnMut(usize, usize)) {
        self.markers[self.mover()].for_each(|from| {
            for direction in 0..G::BOARD.directions() {
                if rays::length::<G>(from, direction) > 0 {
                    visit(from, rays::at::<G>(from, direction, 1));
                }
            }
        });
    }

    /// Stacks from which the mover may pay a buried ring. All of them, or in the deployed profile the oldest (item 8).
    fn payers(&self) -> G::Bits {
        let mover = self.mover();
        let mut payers = G::Bits::EMPTY;
        let mut oldest = None;
        self.all_stacks().for_each(|slot| {
            if self.stacks.has_buried(slot, mover) {
                payers.insert(slot);
                let age = self.stacks.at(slot).age();
                if oldest.is_none_or(|(least, _)| age < least) {
                    oldest = Some((age, slot));
                }
            }
        });
        match oldest {
            Some((_, slot)) if self.setup.deployed() => G::Bits::only(slot),
            _ => payers,
        }
    }

    /// The run of at least L that the slide completes: the longest, ties by axis order (note D12); in the deployed
    /// profile the first axis that has one.
    pub(crate) fn slide_line(&self, from: usize, to: usize) -> Option<Run> {
        let mut markers = self.markers[self.mover()];
        markers.remove(from);
        markers.insert(to);
        let mut best: Option<Run> = None;
        let deployed = self.setup.deployed();
        let order = |index: usize| if deployed && !G::BOARD.is_hex() { DEPLOYED_AXES[index] } else { index };
        for axis in (0..G::BOARD.axes()).map(order) {
            let run = Self::run_through(&markers, to, axis);
            if run.length >= self.line_length() && best.is_none_or(|longest| run.length > longest.length) {
                best = Some(run);
                if deployed {
                    break;
                }
            }
        }
        best
    }

    fn list_line_slides(&self, from: usize, to: usize, run: Run, list: &mut MoveList) {
        let (from, to) = (Self::cell_of(from), Self::cell_of(to));
        let surplus = run.length - self.line_length();
        if self.setup.deployed() {
            list.push(Move::new(MoveKind::RecoveryLine, from, to, NO_CELL));
            if surplus > 0 {
                list.push(Move::new(MoveKind::RecoverySegment, from, to, 0));
            }
            return;
        }
        self.payers().for_each(|payer| {
            list.push(Move::new(MoveKind::RecoveryLine, from, to, Self::cell_of(payer)));
        });
        if surplus > 0 {
            for first in 0..=surplus {
                list.push(Move::new(MoveKind::RecoverySegment, from, to, first));
            }
        }
    }

    /// The cells that a line-mode slide collapses: the whole run, or L cells from `first` on.
    pub(crate) fn recovery_cells(&self, from: usize, to: usize, first: Option<usize>) -> Option<G::Bits> {
        let run = self.slide_line(from, to)?;
        match first {
            None => Some(run.cells::<G>(0, run.length)),
            Some(first) if first + self.line_length() <= run.length => Some(run.cells::<G>(first, self.line_length())),
            Some(_) => None,
        }
    }

    pub(crate) fn recover(&mut self, one: Move) {
        let mover = self.mover();
        let (from, to) = (Self::slot_of(one.a()), Self::slot_of(one.b()));
        let collapsing = match one.kind() {
            MoveKind::RecoveryLine => self.recovery_cells(from, to, None),
            MoveKind::RecoverySegment => self.recovery_cells(from, to, Some(one.c())),
            _ => None,
        };
        self.markers[mover].remove(from);
        match one.kind() {
            MoveKind::RecoveryStrike => self.eliminate_top(to),
            _ => self.markers[mover].insert(to),
        }
        if let Some(cells) = collapsing {
            self.collapse_all(cells);
        }
        if one.kind() != MoveKind::RecoverySegment {
            let named = one.c() != NO_CELL;
            let payer = if named { Some(Self::slot_of(one.c())) } else { self.payers().lowest() };
            if let Some(payer) = payer {
                self.extract_lowest(payer);
            }
        }
        self.turn.recovered = true;
    }

    /// On square boards two runs of equal greatest length through the slide's end are told apart only by axis order: the
    /// position of note D12, which a symmetry need not preserve. True if the mover has such a slide.
    pub fn has_axis_tie(&self) -> bool {
        let mover = self.mover();
        let empty = G::CELLS & !self.all_collapsed() & !self.all_markers() & !self.all_stacks();
        let mut tie = false;
        self.each_slide(|from, to| {
            if tie || !empty.has(to) {
                return;
            }
            if let Some(longest) = self.slide_line(from, to) {
                let mut markers = self.markers[mover];
                markers.remove(from);
                markers.insert(to);
                let equal = (0..G::BOARD.axes())
                    .filter(|axis| Self::run_through(&markers, to, *axis).length == longest.length)
                    .count();
                tie = equal > 1;
            }
        });
        tie
    }
}
