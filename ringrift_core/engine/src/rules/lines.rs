//! Lines (section 5, R120-R123).

use crate::bits::Bits;
use crate::board::{for_each_direction, Geometry};
use crate::moves::{Move, MoveKind, MoveList};
use crate::rays;
use crate::state::State;

/// A run of markers along an axis, as far as it goes both ways.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    /// First slot along the axis.
    pub start: usize,
    pub axis: usize,
    pub length: usize,
}

impl Run {
    /// `length` cells of the run, from `first` cells after its start.
    pub fn cells<G: Geometry>(&self, first: usize, length: usize) -> G::Bits {
        let mut cells = G::Bits::EMPTY;
        for index in first..first + length {
            cells.insert(rays::at::<G>(self.start, self.axis, index));
        }
        cells
    }
}

impl<G: Geometry> State<G> {
    #[inline(always)]
    pub(crate) fn line_length(&self) -> usize {
        G::BOARD.line_length(self.players())
    }

    /// Slots where a window of `wanted` markers along `axis` starts.
    #[inline(always)]
    fn windows(markers: G::Bits, axis: usize, wanted: usize) -> G::Bits {
        let back = axis + G::BOARD.axes();
        let mut windows = markers;
        for _ in 1..wanted {
            windows = G::step(windows, back) & markers;
        }
        windows
    }

    /// Does the mover own a run of at least L?
    pub(crate) fn has_line(&self) -> bool {
        let markers = self.markers[self.mover()];
        let wanted = self.line_length();
        if markers.count() < wanted as u32 {
            return false;
        }
        for_each_direction!(G, axis => {
            if axis < G::BOARD.axes() && !Self::windows(markers, axis, wanted).is_empty() {
                return true;
            }
        });
        false
    }

    /// Length of the run of `markers` along `axis` that starts at `start`.
    fn run_length(markers: &G::Bits, start: usize, axis: usize) -> usize {
        let edge = rays::length::<G>(start, axis);
        let mut length = 1;
        while length <= edge && markers.has(rays::at::<G>(start, axis, length)) {
            length += 1;
        }
        length
    }

    /// The run of `markers` along `axis` through `slot`, which must hold one of them.
    pub(crate) fn run_through(markers: &G::Bits, slot: usize, axis: usize) -> Run {
        let back = axis + G::BOARD.axes();
        let before = Self::run_length(markers, slot, back) - 1;
        let start = rays::at::<G>(slot, back, before);
        Run { start, axis, length: Self::run_length(markers, start, axis) }
    }

    pub(crate) fn list_lines(&self, list: &mut MoveList) {
        let markers = self.markers[self.mover()];
        let wanted = self.line_length();
        if !self.has_line() {
            return;
        }
        for axis in 0..G::BOARD.axes() {
            let windows = Self::windows(markers, axis, wanted);
            let starts = windows & !G::step(markers, axis);
            starts.for_each(|start| {
                let length = Self::run_length(&markers, start, axis);
                if length == wanted {
                    list.push(Move::new(MoveKind::ProcessLine, Self::cell_of(start), axis, 0));
                    return;
                }
                list.push(Move::new(MoveKind::ChooseWholeLine, Self::cell_of(start), axis, 0));
                for first in 0..=length - wanted {
                    let cell = Self::cell_of(rays::at::<G>(start, axis, first));
                    list.push(Move::new(MoveKind::ChooseLineSegment, cell, axis, 0));
                }
            });
        }
    }

    /// Collapses the whole line; a ring is owed if the mover controls a stack (waived otherwise).
    pub(crate) fn collapse_line(&mut self, start: usize, axis: usize) {
        let mover = self.mover();
        let run = Self::run_through(&self.markers[mover], start, axis);
        self.collapse_all(run.cells::<G>(0, run.length));
        self.turn.line_debt = !self.controlled[mover].is_empty();
        self.turn.line_done = true;
    }

    /// Collapses L cells from `first` on; nothing is owed.
    pub(crate) fn collapse_segment(&mut self, first: usize, axis: usize) {
        let length = self.line_length();
        self.collapse_all(Run { start: first, axis, length }.cells::<G>(0, length));
        self.turn.line_done = true;
    }
}
