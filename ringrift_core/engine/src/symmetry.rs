//! Symmetries of the boards: 8 of the square, 12 of the hexagon, for cells, states and moves.
//!
//! They are symmetries of the canonical rules, but for note D12 (`State::has_axis_tie`). The deployed profile has none.

use crate::bits::Bits;
use crate::board::{Board, Geometry, MAX_PLAYERS, NONE};
use crate::moves::{Move, MoveKind, NO_CELL};
use crate::rays;
use crate::rules::lines::Run;
use crate::stack::Stacks;
use crate::state::State;

/// One symmetry of a board; index 0 is the identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Symmetry {
    board: Board,
    index: usize,
}

impl Symmetry {
    /// All symmetries of a board, identity first: the rotations, then the same after a reflection.
    pub fn all(board: Board) -> Vec<Symmetry> {
        (0..if board.is_hex() { 12 } else { 8 }).map(|index| Symmetry { board, index }).collect()
    }

    pub fn board(&self) -> Board {
        self.board
    }

    /// Where (x, y) goes.
    pub fn point(&self, x: i32, y: i32) -> (i32, i32) {
        let turns = if self.board.is_hex() { 6 } else { 4 };
        let mirrored = self.index >= turns;
        // On squares about the centre, so in half-cell steps.
        let middle = if self.board.is_hex() { 0 } else { self.board.size() as i32 - 1 };
        let (mut x, mut y) = (2 * x - middle, 2 * y - middle);
        if mirrored {
            (x, y) = (y, x);
        }
        for _ in 0..self.index % turns {
            (x, y) = if self.board.is_hex() { (-y, x + y) } else { (-y, x) };
        }
        ((x + middle) / 2, (y + middle) / 2)
    }

    /// Where a cell goes.
    pub fn cell(&self, cell: usize) -> usize {
        let (x, y) = self.board.coordinates(cell);
        let (x, y) = self.point(x, y);
        self.board.cell_at(x, y).expect("a symmetry maps the board onto itself")
    }

    /// Where every cell goes, by cell.
    pub fn permutation(&self) -> Vec<usize> {
        (0..self.board.cells()).map(|cell| self.cell(cell)).collect()
    }

    /// Where a direction goes.
    pub fn direction(&self, direction: usize) -> usize {
        let (dx, dy) = self.board.direction(direction);
        let (x, y) = self.point(dx, dy);
        let (x0, y0) = self.point(0, 0);
        let moved = (x - x0, y - y0);
        (0..self.board.directions())
            .find(|other| self.board.direction(*other) == moved)
            .expect("a symmetry maps directions to directions")
    }

    fn slot<G: Geometry>(&self, slot: usize) -> usize {
        State::<G>::slot_of(self.cell(State::<G>::cell_of(slot)))
    }

    fn set<G: Geometry>(&self, cells: G::Bits) -> G::Bits {
        let mut moved = G::Bits::EMPTY;
        cells.for_each(|slot| moved.insert(self.slot::<G>(slot)));
        moved
    }

    fn run<G: Geometry>(&self, run: Run) -> Run {
        let direction = self.direction(run.axis);
        let axes = G::BOARD.axes();
        // A reversed run starts at its other end.
        let first = if direction < axes { 0 } else { run.length - 1 };
        let start = self.slot::<G>(rays::at::<G>(run.start, run.axis, first));
        Run { start, axis: direction % axes, length: run.length }
    }
}

impl<G: Geometry> State<G> {
    /// The state seen through a symmetry of its board.
    pub fn mapped(&self, symmetry: Symmetry) -> State<G> {
        let mut mapped = *self;
        mapped.stacks = Stacks::NONE;
        self.all_stacks().for_each(|slot| {
            let to = symmetry.slot::<G>(slot);
            for ring in self.stacks.rings(slot) {
                mapped.stacks.push_top(to, ring);
            }
            mapped.stacks.set_age(to, self.stacks.at(slot).age());
        });
        for seat in 0..MAX_PLAYERS {
            mapped.controlled[seat] = symmetry.set::<G>(self.controlled[seat]);
            mapped.markers[seat] = symmetry.set::<G>(self.markers[seat]);
            mapped.collapsed[seat] = symmetry.set::<G>(self.collapsed[seat]);
        }
        for place in [&mut mapped.turn.must_move, &mut mapped.turn.capture_from, &mut mapped.turn.chain_from] {
            if *place != NONE {
                *place = symmetry.slot::<G>(*place as usize) as u16;
            }
        }
        mapped
    }

    /// A legal move of this state as the move of the mapped state.
    pub fn map_move(&self, symmetry: Symmetry, one: Move) -> Move {
        let kind = one.kind();
        let cell = |cell: usize| if cell == NO_CELL { NO_CELL } else { symmetry.cell(cell) };
        match kind {
            MoveKind::PlaceRing => Move::new(kind, cell(one.a()), one.b(), 0),
            MoveKind::MoveStack => Move::new(kind, cell(one.a()), cell(one.b()), 0),
            MoveKind::OvertakingCapture
            | MoveKind::ContinueCaptureSegment
            | MoveKind::RecoveryLine
            | MoveKind::RecoveryFallback
            | MoveKind::RecoveryStrike => Move::new(kind, cell(one.a()), cell(one.b()), cell(one.c())),
            MoveKind::EliminateForLine
            | MoveKind::EliminateForTerritory
            | MoveKind::EliminateForRecovery
            | MoveKind::ForcedElimination => Move::new(kind, cell(one.a()), 0, 0),
            MoveKind::RecoverySegment => self.map_recovery_segment(symmetry, one),
            MoveKind::ProcessLine | MoveKind::ChooseWholeLine | MoveKind::ChooseLineSegment => {
                self.map_line(symmetry, one)
            }
            MoveKind::ChooseTerritoryOption => {
                let region = symmetry.set::<G>(self.region_of(Self::slot_of(one.a()), one.b()));
                let smallest = region.lowest().map_or(0, Self::cell_of);
                Move::new(kind, smallest, one.b(), 0)
            }
            _ => one,
        }
    }

    fn map_line(&self, symmetry: Symmetry, one: Move) -> Move {
        let start = Self::slot_of(one.a());
        let run = match one.kind() {
            MoveKind::ChooseLineSegment => Run { start, axis: one.b(), length: self.line_length() },
            _ => Self::run_through(&self.markers[self.mover()], start, one.b()),
        };
        let run = symmetry.run::<G>(run);
        Move::new(one.kind(), Self::cell_of(run.start), run.axis, 0)
    }

    fn map_recovery_segment(&self, symmetry: Symmetry, one: Move) -> Move {
        let (from, to) = (Self::slot_of(one.a()), Self::slot_of(one.b()));
        let first = match self.slide_line(from, to) {
            Some(run) if symmetry.direction(run.axis) >= G::BOARD.axes() => run.length - self.line_length() - one.c(),
            _ => one.c(),
        };
        Move::new(one.kind(), symmetry.cell(one.a()), symmetry.cell(one.b()), first)
    }
}
