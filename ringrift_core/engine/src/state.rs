//! The state of a game (section 2) and the primitive changes that every rule is made of.
//!
//! Seats are 0-based inside the crate's types; notation and JSON count them from 1.

use crate::bits::Bits;
use crate::board::{Board, Geometry, MAX_PLAYERS, NONE};
use crate::setup::Setup;
use crate::stack::Stacks;

/// The phases of a turn (section 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Phase {
    RingPlacement,
    Movement,
    Capture,
    ChainCapture,
    LineProcessing,
    TerritoryProcessing,
    ForcedElimination,
    GameOver,
}

impl Phase {
    pub const ALL: [Phase; 8] = [
        Phase::RingPlacement,
        Phase::Movement,
        Phase::Capture,
        Phase::ChainCapture,
        Phase::LineProcessing,
        Phase::TerritoryProcessing,
        Phase::ForcedElimination,
        Phase::GameOver,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Phase::RingPlacement => "ring_placement",
            Phase::Movement => "movement",
            Phase::Capture => "capture",
            Phase::ChainCapture => "chain_capture",
            Phase::LineProcessing => "line_processing",
            Phase::TerritoryProcessing => "territory_processing",
            Phase::ForcedElimination => "forced_elimination",
            Phase::GameOver => "game_over",
        }
    }

    pub fn from_name(name: &str) -> Option<Phase> {
        Phase::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// How a game ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Reason {
    RingElimination,
    TerritoryControl,
    LastPlayerStanding,
    /// Profile deployed only.
    LastPlayerStandingEarly,
    Stalemate,
}

impl Reason {
    pub const ALL: [Reason; 5] = [
        Reason::RingElimination,
        Reason::TerritoryControl,
        Reason::LastPlayerStanding,
        Reason::LastPlayerStandingEarly,
        Reason::Stalemate,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Reason::RingElimination => "ring_elimination",
            Reason::TerritoryControl => "territory_control",
            Reason::LastPlayerStanding => "last_player_standing",
            Reason::LastPlayerStandingEarly => "last_player_standing_early",
            Reason::Stalemate => "stalemate",
        }
    }

    pub fn from_name(name: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// The end of a game: the winner's seat, the rank of every seat (1 is best; ties share one), and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub winner: usize,
    /// One rank per seat; 0 beyond the number of players.
    pub ranks: [u8; MAX_PLAYERS],
    pub reason: Reason,
}

/// What a region costs its claimer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum RegionDebt {
    #[default]
    None,
    /// The cap of a controlled stack.
    Cap,
    /// A buried ring: in a turn with a recovery slide.
    Buried,
}

/// Per-turn fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Turn {
    pub number: u32,
    /// Slots; `NONE` where not set.
    pub must_move: u16,
    pub capture_from: u16,
    pub chain_from: u16,
    pub region_debt: RegionDebt,
    pub line_debt: bool,
    pub line_done: bool,
    pub region_done: bool,
    pub changed: bool,
    pub recovered: bool,
    pub real_available: bool,
    pub real_taken: bool,
}

impl Turn {
    pub const fn start(number: u32) -> Turn {
        Turn {
            number,
            must_move: NONE,
            capture_from: NONE,
            chain_from: NONE,
            region_debt: RegionDebt::None,
            line_debt: false,
            line_done: false,
            region_done: false,
            changed: false,
            recovered: false,
            real_available: false,
            real_taken: false,
        }
    }
}

/// "No seat".
pub(crate) const NO_SEAT: u8 = u8::MAX;

/// A seat's turn in the current round (section 9.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mark {
    pub set: bool,
    pub available: bool,
    pub taken: bool,
}

/// The last-player-standing tracker: section 9.3, or item 12 of the deployed profile, whose "first" is `leader` and
/// whose "exclusive seat" is `solo_seat`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tracker {
    pub leader: u8,
    pub marks: [Mark; MAX_PLAYERS],
    pub solo_seat: u8,
    pub solo_count: u16,
}

/// Per-game fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub swap_used: bool,
    pub seat2_moved: bool,
    /// Seats by latest turn action, newest last; the first `recent_len` are valid.
    pub recent: [u8; MAX_PLAYERS],
    pub recent_len: u8,
    /// Turn on which a seat first had no ring anywhere at its end; `u32::MAX` otherwise.
    pub gone_at: [u32; MAX_PLAYERS],
    pub tracker: Tracker,
    pub outcome: Option<Outcome>,
    /// Seat of the last recorded entry, no-ops included (profile deployed, item 13).
    pub last_entry: u8,
    /// Last age given to a stack (profile deployed, item 8).
    pub last_age: u16,
}

/// A game in progress or over, on one board. Plain data: copying is the undo.
pub struct State<G: Geometry> {
    pub(crate) stacks: Stacks<G>,
    /// Slots of the stacks each seat controls.
    pub(crate) controlled: [G::Bits; MAX_PLAYERS],
    pub(crate) markers: [G::Bits; MAX_PLAYERS],
    pub(crate) collapsed: [G::Bits; MAX_PLAYERS],
    pub(crate) hand: [u16; MAX_PLAYERS],
    /// E: rings each seat caused to leave the game.
    pub(crate) credited: [u16; MAX_PLAYERS],
    /// T: collapsed cells of each seat.
    pub(crate) territory: [u16; MAX_PLAYERS],
    /// Rings of each colour on the board, at any depth.
    pub(crate) on_board: [u16; MAX_PLAYERS],
    pub(crate) setup: Setup,
    pub(crate) seat: u8,
    pub(crate) phase: Phase,
    pub(crate) turn: Turn,
    pub(crate) record: Record,
}

impl<G: Geometry> Clone for State<G> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<G: Geometry> Copy for State<G> {}

impl<G: Geometry> State<G> {
    /// The start of a game. `setup.board()` must be the board of `G`.
    pub fn new(setup: Setup) -> Self {
        assert_eq!(setup.board(), G::BOARD);
        let mut hand = [0; MAX_PLAYERS];
        hand[..setup.players()].fill(G::BOARD.rings_per_player() as u16);
        let mut state = State {
            stacks: Stacks::NONE,
            controlled: [G::Bits::EMPTY; MAX_PLAYERS],
            markers: [G::Bits::EMPTY; MAX_PLAYERS],
            collapsed: [G::Bits::EMPTY; MAX_PLAYERS],
            hand,
            credited: [0; MAX_PLAYERS],
            territory: [0; MAX_PLAYERS],
            on_board: [0; MAX_PLAYERS],
            setup,
            seat: 0,
            phase: Phase::RingPlacement,
            turn: Turn::start(1),
            record: Record {
                swap_used: false,
                seat2_moved: false,
                recent: [0; MAX_PLAYERS],
                recent_len: 0,
                gone_at: [u32::MAX; MAX_PLAYERS],
                tracker: Tracker {
                    leader: if setup.deployed() { NO_SEAT } else { 0 },
                    marks: [Mark::default(); MAX_PLAYERS],
                    solo_seat: NO_SEAT,
                    solo_count: 0,
                },
                outcome: None,
                last_entry: NO_SEAT,
                last_age: 0,
            },
        };
        state.turn.real_available = true;
        state
    }

    #[inline(always)]
    pub(crate) fn mover(&self) -> usize {
        self.seat as usize
    }

    #[inline(always)]
    pub(crate) fn players(&self) -> usize {
        self.setup.players()
    }

    #[inline(always)]
    fn union(sets: &[G::Bits; MAX_PLAYERS]) -> G::Bits {
        (sets[0] | sets[1]) | (sets[2] | sets[3])
    }

    /// Slots with a stack.
    #[inline(always)]
    pub(crate) fn all_stacks(&self) -> G::Bits {
        Self::union(&self.controlled)
    }

    /// Slots with a marker.
    #[inline(always)]
    pub(crate) fn all_markers(&self) -> G::Bits {
        Self::union(&self.markers)
    }

    /// Slots that are collapsed.
    #[inline(always)]
    pub(crate) fn all_collapsed(&self) -> G::Bits {
        Self::union(&self.collapsed)
    }

    /// Has the seat no ring left, in hand or on the board at any depth (R175)?
    #[inline(always)]
    pub(crate) fn is_gone(&self, seat: usize) -> bool {
        self.hand[seat] == 0 && self.on_board[seat] == 0
    }

    /// Recovery-eligible (R110): no stack controlled, a marker owned, a buried ring. Whoever controls no stack has every
    /// ring on the board buried.
    #[inline(always)]
    pub(crate) fn is_recovery_eligible(&self, seat: usize) -> bool {
        self.controlled[seat].is_empty() && self.on_board[seat] > 0 && !self.markers[seat].is_empty()
    }

    #[inline(always)]
    pub(crate) fn cell_of(slot: usize) -> usize {
        match G::BOARD {
            Board::Square8 => slot, // No padding: cells and slots are the same.
            _ => G::tables().cell_of[slot] as usize,
        }
    }

    #[inline(always)]
    pub(crate) fn slot_of(cell: usize) -> usize {
        match G::BOARD {
            Board::Square8 => cell,
            _ => G::tables().slot_of[cell] as usize,
        }
    }

    /// Credits the mover with `rings` eliminated rings.
    #[inline(always)]
    pub(crate) fn credit(&mut self, rings: usize) {
        self.credited[self.seat as usize] += rings as u16;
    }

    /// Turns a slot that holds no stack into a collapsed cell of the mover.
    #[inline(always)]
    pub(crate) fn collapse(&mut self, slot: usize) {
        let mover = self.mover();
        self.collapsed[mover].insert(slot);
        self.territory[mover] += 1;
    }

    /// Turns a set of slots without stacks into collapsed cells of the mover, whatever markers they held.
    pub(crate) fn collapse_all(&mut self, cells: G::Bits) {
        let mover = self.mover();
        for markers in &mut self.markers {
            *markers &= !cells;
        }
        self.collapsed[mover] |= cells;
        self.territory[mover] += cells.count() as u16;
    }

    /// Gives a stack the newest age (profile deployed only; 0 otherwise).
    #[inline(always)]
    pub(crate) fn renew_age(&mut self, slot: usize) {
        if self.setup.deployed() {
            self.record.last_age = self.record.last_age.saturating_add(1);
            self.stacks.set_age(slot, self.record.last_age);
        }
    }

    /// Slots of all stacks, oldest first (profile deployed; by slot otherwise).
    pub(crate) fn stacks_by_age(&self) -> Vec<usize> {
        let mut slots = Vec::new();
        self.all_stacks().for_each(|slot| slots.push(slot));
        slots.sort_by_key(|slot| self.stacks.at(*slot).age());
        slots
    }

    /// Takes the top ring of a stack out of the game, to the mover's credit.
    #[inline(always)]
    pub(crate) fn eliminate_top(&mut self, slot: usize) {
        let controller = self.stacks.at(slot).controller();
        self.controlled[controller].remove(slot);
        let colour = self.stacks.pop_top(slot);
        self.on_board[colour] -= 1;
        self.credit(1);
        self.reread_control(slot);
    }

    /// Takes the whole cap of a stack out of the game, to the mover's credit.
    pub(crate) fn eliminate_cap(&mut self, slot: usize) {
        for _ in 0..self.stacks.cap(slot) {
            self.eliminate_top(slot);
        }
    }

    /// Takes the mover's lowest ring out of a stack, to the mover's credit.
    pub(crate) fn extract_lowest(&mut self, slot: usize) {
        let mover = self.mover();
        let controller = self.stacks.at(slot).controller();
        if self.stacks.take_lowest(slot, mover) {
            self.controlled[controller].remove(slot);
            self.on_board[mover] -= 1;
            self.credit(1);
            self.reread_control(slot);
        }
    }

    /// Takes a whole stack out of the game, to the mover's credit.
    pub(crate) fn eliminate_stack(&mut self, slot: usize) {
        for _ in 0..self.stacks.at(slot).height() {
            self.eliminate_top(slot);
        }
    }

    /// Enters the stack of a slot, if there is one, under its controller.
    #[inline(always)]
    pub(crate) fn reread_control(&mut self, slot: usize) {
        let stack = self.stacks.at(slot);
        if stack.height() > 0 {
            self.controlled[stack.controller()].insert(slot);
        }
    }
}
