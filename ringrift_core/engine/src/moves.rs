//! Moves as compact codes, stable across versions: replay files store them, packed (`records::packed`).
//!
//! A code is a `u32`: bits 0..9 `a`, 9..18 `b`, 18..27 `c`, 27..32 the kind. `a`, `b` and `c` are cells unless the table
//! in `MoveKind` says otherwise; unused fields are 0. Kinds are only ever appended.

use std::fmt;

/// What a move does. The comments name the fields of the code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MoveKind {
    /// a = cell, b = number of rings (1-3).
    PlaceRing = 0,
    SkipPlacement = 1,
    NoPlacementAction = 2,
    SwapSides = 3,
    /// a = from, b = to.
    MoveStack = 4,
    /// a = from, b = landing, c = target.
    OvertakingCapture = 5,
    /// a = from, b = landing, c = target.
    ContinueCaptureSegment = 6,
    SkipCapture = 7,
    NoMovementAction = 8,
    SkipRecovery = 9,
    /// Line mode, option 1. a = from, b = to, c = paying stack (`NO_CELL` in profile deployed, which names none).
    RecoveryLine = 10,
    /// Line mode, option 2. a = from, b = to, c = index in the run of the first collapsed cell.
    RecoverySegment = 11,
    /// a = from, b = to, c = paying stack.
    RecoveryFallback = 12,
    /// a = from, b = struck stack, c = paying stack.
    RecoveryStrike = 13,
    /// Line of exactly L. a = its first cell along the axis, b = axis.
    ProcessLine = 14,
    /// Longer line, collapsed whole. a = its first cell along the axis, b = axis.
    ChooseWholeLine = 15,
    /// Longer line, L of its cells. a = first cell of the segment, b = axis.
    ChooseLineSegment = 16,
    NoLineAction = 17,
    /// Ring owed for a line. a = stack.
    EliminateForLine = 18,
    /// a = smallest cell of the region, b = wall label (0 none, else the seat 1-4).
    ChooseTerritoryOption = 19,
    SkipTerritoryProcessing = 20,
    NoTerritoryAction = 21,
    /// Cap owed for a region. a = stack.
    EliminateForTerritory = 22,
    /// Buried ring owed for a region in a recovery turn. a = stack.
    EliminateForRecovery = 23,
    /// a = stack.
    ForcedElimination = 24,
}

impl MoveKind {
    /// All kinds, by code.
    pub const ALL: [MoveKind; 25] = {
        use MoveKind::*;
        [
            PlaceRing,
            SkipPlacement,
            NoPlacementAction,
            SwapSides,
            MoveStack,
            OvertakingCapture,
            ContinueCaptureSegment,
            SkipCapture,
            NoMovementAction,
            SkipRecovery,
            RecoveryLine,
            RecoverySegment,
            RecoveryFallback,
            RecoveryStrike,
            ProcessLine,
            ChooseWholeLine,
            ChooseLineSegment,
            NoLineAction,
            EliminateForLine,
            ChooseTerritoryOption,
            SkipTerritoryProcessing,
            NoTerritoryAction,
            EliminateForTerritory,
            EliminateForRecovery,
            ForcedElimination,
        ]
    };

    /// The move type's name in notation.
    pub const fn name(self) -> &'static str {
        match self {
            MoveKind::PlaceRing => "place_ring",
            MoveKind::SkipPlacement => "skip_placement",
            MoveKind::NoPlacementAction => "no_placement_action",
            MoveKind::SwapSides => "swap_sides",
            MoveKind::MoveStack => "move_stack",
            MoveKind::OvertakingCapture => "overtaking_capture",
            MoveKind::ContinueCaptureSegment => "continue_capture_segment",
            MoveKind::SkipCapture => "skip_capture",
            MoveKind::NoMovementAction => "no_movement_action",
            MoveKind::SkipRecovery => "skip_recovery",
            MoveKind::RecoveryLine
            | MoveKind::RecoverySegment
            | MoveKind::RecoveryFallback
            | MoveKind::RecoveryStrike => "recovery_slide",
            MoveKind::ProcessLine => "process_line",
            MoveKind::ChooseWholeLine | MoveKind::ChooseLineSegment => "choose_line_option",
            MoveKind::NoLineAction => "no_line_action",
            MoveKind::EliminateForLine | MoveKind::EliminateForTerritory | MoveKind::EliminateForRecovery => {
                "eliminate_rings_from_stack"
            }
            MoveKind::ChooseTerritoryOption => "choose_territory_option",
            MoveKind::SkipTerritoryProcessing => "skip_territory_processing",
            MoveKind::NoTerritoryAction => "no_territory_action",
            MoveKind::ForcedElimination => "forced_elimination",
        }
    }

    /// How many of the fields a, b, c the kind uses; the others are 0.
    pub const fn fields(self) -> usize {
        match self {
            MoveKind::OvertakingCapture
            | MoveKind::ContinueCaptureSegment
            | MoveKind::RecoveryLine
            | MoveKind::RecoverySegment
            | MoveKind::RecoveryFallback
            | MoveKind::RecoveryStrike => 3,
            MoveKind::PlaceRing
            | MoveKind::MoveStack
            | MoveKind::ProcessLine
            | MoveKind::ChooseWholeLine
            | MoveKind::ChooseLineSegment
            | MoveKind::ChooseTerritoryOption => 2,
            MoveKind::EliminateForLine
            | MoveKind::EliminateForTerritory
            | MoveKind::EliminateForRecovery
            | MoveKind::ForcedElimination => 1,
            MoveKind::SkipPlacement
            | MoveKind::NoPlacementAction
            | MoveKind::SwapSides
            | MoveKind::SkipCapture
            | MoveKind::NoMovementAction
            | MoveKind::SkipRecovery
            | MoveKind::NoLineAction
            | MoveKind::SkipTerritoryProcessing
            | MoveKind::NoTerritoryAction => 0,
        }
    }

    /// Is the move written by its name alone?
    pub const fn is_bare(self) -> bool {
        !self.is_turn_action()
    }

    /// Moves that are always the only legal one where they occur (section 14): recorded, but no decision.
    pub const fn is_automatic(self) -> bool {
        matches!(
            self,
            MoveKind::NoPlacementAction
                | MoveKind::NoMovementAction
                | MoveKind::NoLineAction
                | MoveKind::NoTerritoryAction
        )
    }

    /// Turn actions (section 2): everything but skips, no-ops and the swap. They change the board.
    pub const fn is_turn_action(self) -> bool {
        !self.is_automatic()
            && !matches!(
                self,
                MoveKind::SkipPlacement
                    | MoveKind::SkipCapture
                    | MoveKind::SkipRecovery
                    | MoveKind::SkipTerritoryProcessing
                    | MoveKind::SwapSides
            )
    }
}

/// "No cell" in a field of a move.
pub const NO_CELL: usize = 511;

/// One move. Equal codes are equal moves of the same state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Move(u32);

impl Move {
    /// A move from its parts; each field takes 9 bits.
    #[inline(always)]
    pub const fn new(kind: MoveKind, a: usize, b: usize, c: usize) -> Move {
        Move((kind as u32) << 27 | (c as u32) << 18 | (b as u32) << 9 | a as u32)
    }

    /// A move without fields.
    #[inline(always)]
    pub const fn plain(kind: MoveKind) -> Move {
        Move::new(kind, 0, 0, 0)
    }

    /// The code to store.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// The move of a stored code. Any kind that exists is accepted: only `play` tells whether it is legal.
    pub const fn from_code(code: u32) -> Option<Move> {
        if (code >> 27) < MoveKind::ALL.len() as u32 {
            Some(Move(code))
        } else {
            None
        }
    }

    #[inline(always)]
    pub const fn kind(self) -> MoveKind {
        MoveKind::ALL[(self.0 >> 27) as usize]
    }

    /// First field.
    #[inline(always)]
    pub const fn a(self) -> usize {
        (self.0 & 511) as usize
    }

    /// Second field.
    #[inline(always)]
    pub const fn b(self) -> usize {
        (self.0 >> 9 & 511) as usize
    }

    /// Third field.
    #[inline(always)]
    pub const fn c(self) -> usize {
        (self.0 >> 18 & 511) as usize
    }
}

impl fmt::Debug for Move {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}({}, {}, {})", self.kind(), self.a(), self.b(), self.c())
    }
}

/// A reusable list of moves.
#[derive(Clone, Default, Debug)]
pub struct MoveList(Vec<Move>);

impl MoveList {
    /// An empty list.
    pub fn new() -> MoveList {
        MoveList(Vec::with_capacity(512))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, one: Move) {
        self.0.push(one);
    }

    /// Appends the first `count` of three moves.
    #[inline(always)]
    pub(crate) fn extend(&mut self, moves: [Move; 3], count: usize) {
        self.0.extend_from_slice(&moves);
        self.0.truncate(self.0.len() + count - 3);
    }
}

impl std::ops::Deref for MoveList {
    type Target = [Move];
    fn deref(&self) -> &[Move] {
        &self.0
    }
}
