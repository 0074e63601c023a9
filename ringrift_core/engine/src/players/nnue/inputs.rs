//! What an NNUE sees of a position: binary inputs, each of which belongs to one seat.
//!
//! A perspective sees them with their owners counted from its own seat, so nothing changes when the turn passes. The inputs
//! are a function of the position alone, and those of two positions differ where the positions do. docs/encoding.md lists
//! them.

use crate::bits::Bits;
use crate::board::{Board, Geometry, MAX_PLAYERS};
use crate::players::nnue::simd::Simd;
use crate::stack::Packed;
use crate::state::{Phase, RegionDebt, State};

/// Raised when the meaning of any input or bucket changes: a network reads the inputs that it was trained on.
pub const INPUTS_VERSION: u32 = 1;

/// Classes of a stack's cap: 1, 2, 3, 4 to 5, and more.
const CAPS: usize = 5;
const CLASS_OF_CAP: [u8; 17] = [0, 0, 1, 2, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4];

/// One-hot levels of a count, from none to all of its target.
pub const LEVELS: usize = 33;

const PHASES: usize = 7;
const FLAGS: usize = 4;
const SOLO_ROUNDS: usize = 3;
/// What belongs to the mover, or to the seat that alone can act, and weighs on the logits at once, without a row: it is
/// another one after nearly every move.
pub const TURN_INPUTS: usize = PHASES + FLAGS + SOLO_ROUNDS;

/// Kinds of a stack: classes of caps, times what lies below: nothing, or one to two rings or more, the first of them of
/// one of the other seats.
const fn stack_kinds(players: usize) -> usize {
    CAPS * (2 * players - 1)
}

/// Inputs of a cell, each with its owner: a stack of one of the kinds, a marker, a collapsed cell.
pub const fn cell_inputs(players: usize) -> usize {
    stack_kinds(players) + 2
}

/// Parts of a game by the share of all rings that were placed: below a twelfth, a sixth, a third, and later.
const PARTS: usize = 4;

/// Inputs of one seat that have rows.
pub const fn inputs_of_seat(board: Board, players: usize) -> usize {
    board.cells() * cell_inputs(players) + 3 * LEVELS
}

/// Heads to choose from: by how many turns after the mover's the seat's own comes, whether a turn begins, and the part of the
/// game.
pub const fn buckets(players: usize) -> usize {
    players * 2 * PARTS
}

/// An input: its owner, and its number among those of a seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Input(u32);

impl Input {
    #[inline(always)]
    fn new(owner: usize, number: usize) -> Input {
        Input((owner as u32) << 24 | number as u32)
    }

    #[inline(always)]
    pub fn owner(self) -> usize {
        (self.0 >> 24) as usize
    }

    #[inline(always)]
    pub fn number(self) -> usize {
        (self.0 & 0xFF_FFFF) as usize
    }
}

/// From one position's inputs to another's.
#[derive(Clone, Default)]
pub struct Difference {
    pub removed: Vec<Input>,
    pub added: Vec<Input>,
}

/// The parts of a position that inputs are made of.
#[derive(Clone, Copy)]
pub struct Contents<G: Geometry> {
    stacks: G::Stacks,
    markers: [G::Bits; MAX_PLAYERS],
    collapsed: [G::Bits; MAX_PLAYERS],
    counts: Counts,
}

/// What lies on no cell.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Counts {
    hand: [u16; MAX_PLAYERS],
    credited: [u16; MAX_PLAYERS],
    territory: [u16; MAX_PLAYERS],
}

impl Counts {
    #[inline(always)]
    fn of<G: Geometry>(state: &State<G>) -> Counts {
        Counts { hand: state.hand, credited: state.credited, territory: state.territory }
    }
}

impl<G: Geometry> Contents<G> {
    pub fn of(state: &State<G>) -> Contents<G> {
        Contents {
            stacks: *state.stacks.words(),
            markers: state.markers,
            collapsed: state.collapsed,
            counts: Counts::of(state),
        }
    }
}

impl Difference {
    fn clear(&mut self) {
        self.removed.clear();
        self.added.clear();
    }

    /// All inputs of a position: the difference from none.
    pub fn of_all<G: Geometry>(&mut self, state: &State<G>) {
        self.clear();
        let (players, words) = (state.players(), state.stacks.words().as_ref());
        state.all_stacks().for_each(|slot| stack::<G>(words[slot], slot, players, &mut self.added));
        for seat in 0..players {
            cells::<G>(state.markers[seat], seat, players, stack_kinds(players), &mut self.added);
            cells::<G>(state.collapsed[seat], seat, players, stack_kinds(players) + 1, &mut self.added);
        }
        let counts = Counts::of(state);
        for seat in 0..players {
            for input in levels::<G>(&counts, seat, players) {
                self.added.push(input);
            }
        }
    }

    /// From a base's inputs to those of a position of a game for `N`.
    ///
    /// # Safety
    /// The CPU has the instructions of `S`.
    #[inline(always)]
    pub unsafe fn between<S: Simd, G: Geometry, const N: usize>(&mut self, base: &Contents<G>, state: &State<G>) {
        self.clear();
        let (before, after) = (base.stacks.as_ref(), state.stacks.words().as_ref());
        for first in (0..after.len()).step_by(64) {
            let last = after.len().min(first + 64);
            let mut differing = S::differing(&before[first..last], &after[first..last]);
            while differing != 0 {
                let slot = first + differing.trailing_zeros() as usize;
                differing &= differing - 1;
                stack::<G>(before[slot], slot, N, &mut self.removed);
                stack::<G>(after[slot], slot, N, &mut self.added);
            }
        }
        for seat in 0..N {
            let (old, new) = (base.markers[seat], state.markers[seat]);
            cells::<G>(old & !new, seat, N, stack_kinds(N), &mut self.removed);
            cells::<G>(new & !old, seat, N, stack_kinds(N), &mut self.added);
            let (old, new) = (base.collapsed[seat], state.collapsed[seat]);
            cells::<G>(old & !new, seat, N, stack_kinds(N) + 1, &mut self.removed);
            cells::<G>(new & !old, seat, N, stack_kinds(N) + 1, &mut self.added);
        }
        let (old, new) = (&base.counts, Counts::of(state));
        if *old != new {
            for seat in 0..N {
                let pairs = levels::<G>(old, seat, N).into_iter().zip(levels::<G>(&new, seat, N));
                for (one, other) in pairs.filter(|(one, other)| one != other) {
                    self.removed.push(one);
                    self.added.push(other);
                }
            }
        }
    }
}

/// The input of a stack, by its uppermost 16 rings and its height; none where there is no stack.
#[inline(always)]
fn stack<G: Geometry>(word: u64, slot: usize, players: usize, into: &mut Vec<Input>) {
    if word == 0 {
        return;
    }
    let packed = Packed(word);
    let (controller, cap) = (packed.controller(), packed.packed_cap());
    let below = packed.height() - cap;
    // A ring below the sixteenth is taken for the next seat's.
    let heir = packed.packed_heir().map_or(1, |heir| (heir + players - controller) % players);
    let kind = if below == 0 { 0 } else { 2 * heir - 1 + (below > 2) as usize };
    let number =
        State::<G>::cell_of(slot) * cell_inputs(players) + CLASS_OF_CAP[cap] as usize * (2 * players - 1) + kind;
    into.push(Input::new(controller, number));
}

#[inline(always)]
fn cells<G: Geometry>(set: G::Bits, owner: usize, players: usize, kind: usize, into: &mut Vec<Input>) {
    set.for_each(|slot| into.push(Input::new(owner, State::<G>::cell_of(slot) * cell_inputs(players) + kind)));
}

/// Rings in hand, eliminations and territory of a seat.
#[inline(always)]
fn levels<G: Geometry>(counts: &Counts, seat: usize, players: usize) -> [Input; 3] {
    let (board, first) = (G::BOARD, G::BOARD.cells() * cell_inputs(players));
    let levels = [
        level(counts.hand[seat], board.rings_per_player()),
        level(counts.credited[seat], board.elimination_target(players)),
        level(counts.territory[seat], board.territory_minimum(players)),
    ];
    [0, 1, 2].map(|count| Input::new(seat, first + count * LEVELS + levels[count]))
}

/// The count itself where its target has no more levels; else as many parts of the target, begun ones included.
#[inline(always)]
fn level(count: u16, target: u32) -> usize {
    let (count, most) = (count as u32, LEVELS as u32 - 1);
    let level = if target <= most { count } else { (count * most).div_ceil(target) };
    level.min(most) as usize
}

/// Calls `visit` with the owner and the number, below `TURN_INPUTS`, of every input of the turn.
#[inline(always)]
pub fn turn<G: Geometry>(state: &State<G>, mut visit: impl FnMut(usize, usize)) {
    let (mover, turn, tracker) = (state.mover(), &state.turn, &state.record.tracker);
    if state.phase != Phase::GameOver {
        visit(mover, state.phase as usize);
    }
    let flags = [
        turn.line_debt,
        turn.region_debt == RegionDebt::Cap,
        turn.region_debt == RegionDebt::Buried,
        state.phase == Phase::RingPlacement && state.may_swap(),
    ];
    for (flag, is_set) in flags.into_iter().enumerate() {
        if is_set {
            visit(mover, PHASES + flag);
        }
    }
    let rounds = (tracker.solo_count as usize).min(SOLO_ROUNDS);
    if rounds > 0 && (tracker.solo_seat as usize) < MAX_PLAYERS {
        visit(tracker.solo_seat as usize, PHASES + FLAGS + rounds - 1);
    }
}

/// The head of the seat to move.
#[inline(always)]
pub fn bucket_of_mover<G: Geometry>(state: &State<G>) -> usize {
    let players = state.players();
    let all = players as u32 * G::BOARD.rings_per_player();
    let placed = all - state.hand[..players].iter().map(|hand| *hand as u32).sum::<u32>();
    let part = (placed * 12 >= all) as usize + (placed * 6 >= all) as usize + (placed * 3 >= all) as usize;
    (state.phase != Phase::RingPlacement) as usize * PARTS + part
}

/// The head of a seat.
#[inline(always)]
pub fn bucket_of_seat(of_mover: usize, seat: usize, mover: usize, players: usize) -> usize {
    (seat + players - mover) % players * 2 * PARTS + of_mover
}
