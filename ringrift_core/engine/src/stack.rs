//! Stacks (R020-R023): ring colours packed into a word, and the overflow for very tall ones.
//!
//! Bits 0..32 of the word hold the uppermost 16 rings, two bits each, the top ring lowest; bits 32..48 the height; bits
//! 48..64 the age (profile deployed only). Rings below the sixteenth lie in `Deep`, which random play never needs.

use crate::board::{Geometry, PACKED_RINGS};

const RINGS: u64 = 0xFFFF_FFFF;
const PAIRS: u32 = 0x5555_5555;
const HEIGHT_SHIFT: u32 = 32;
const AGE_SHIFT: u32 = 48;
const ONE_RING: u64 = 1 << HEIGHT_SHIFT;

/// The packed word of one stack; 0 where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Packed(pub u64);

impl Packed {
    #[inline(always)]
    pub fn height(self) -> usize {
        (self.0 >> HEIGHT_SHIFT) as usize & 0xFFFF
    }

    #[inline(always)]
    pub fn age(self) -> u16 {
        (self.0 >> AGE_SHIFT) as u16
    }

    #[inline(always)]
    pub fn with_age(self, age: u16) -> Packed {
        Packed(self.0 & !(0xFFFF << AGE_SHIFT) | (age as u64) << AGE_SHIFT)
    }

    /// Seat (0-based) of the top ring.
    #[inline(always)]
    pub fn controller(self) -> usize {
        (self.0 & 3) as usize
    }

    /// Length of the top run among the packed rings: the cap, unless it is 16 and the stack taller.
    #[inline(always)]
    pub fn packed_cap(self) -> usize {
        let differing = self.0 as u32 ^ (PAIRS * self.controller() as u32);
        (differing.trailing_zeros() as usize / 2).min(self.height())
    }

    /// Colour of the ring below the cap; None where there is none, or it lies below the sixteenth.
    #[inline(always)]
    pub fn packed_heir(self) -> Option<usize> {
        let cap = self.packed_cap();
        (cap < self.height().min(PACKED_RINGS)).then(|| (self.0 >> (2 * cap)) as usize & 3)
    }

    /// Two-bit groups (lower bit set) of the packed rings of `colour`.
    #[inline(always)]
    fn places(self, colour: usize) -> u32 {
        let differing = self.0 as u32 ^ (PAIRS * colour as u32);
        let equal = !(differing | differing >> 1) & PAIRS;
        let packed = self.height().min(PACKED_RINGS);
        if packed == PACKED_RINGS {
            equal
        } else {
            equal & ((1 << (2 * packed)) - 1)
        }
    }

    /// Does a packed ring of `colour` lie below the top ring?
    #[inline(always)]
    fn has_packed_buried(self, colour: usize) -> bool {
        self.places(colour) & !1 != 0
    }
}

/// Overflow: every ring below the sixteenth of its stack, as `slot << 2 | colour`. Rings of one stack keep their order,
/// bottom first; those of different stacks may be mixed.
#[derive(Clone, Copy)]
pub(crate) struct Deep<G: Geometry> {
    rings: G::Deep,
    len: u16,
}

impl<G: Geometry> Deep<G> {
    const EMPTY: Self = Deep { rings: G::NO_DEEP, len: 0 };

    fn entries(&self) -> &[u16] {
        &self.rings.as_ref()[..self.len as usize]
    }

    fn insert(&mut self, index: usize, slot: usize, colour: usize) {
        let len = self.len as usize;
        let rings = self.rings.as_mut();
        rings.copy_within(index..len, index + 1);
        rings[index] = (slot << 2 | colour) as u16;
        self.len += 1;
    }

    fn remove(&mut self, index: usize) -> usize {
        let len = self.len as usize;
        let rings = self.rings.as_mut();
        let colour = rings[index] & 3;
        rings.copy_within(index + 1..len, index);
        self.len -= 1;
        colour as usize
    }

    /// Takes the uppermost overflow ring of a stack.
    #[cold]
    fn pop(&mut self, slot: usize) -> usize {
        let index = self.entries().iter().rposition(|ring| *ring as usize >> 2 == slot);
        self.remove(index.expect("a stack taller than 16 has rings in the overflow"))
    }

    /// Colours of a stack's overflow rings, bottom first.
    fn of(&self, slot: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.entries().iter().filter(move |ring| **ring as usize >> 2 == slot).map(|ring| (*ring & 3) as usize)
    }
}

/// All stacks of a board.
#[derive(Clone, Copy)]
pub(crate) struct Stacks<G: Geometry> {
    packed: G::Stacks,
    deep: Deep<G>,
}

impl<G: Geometry> Stacks<G> {
    pub const NONE: Self = Stacks { packed: G::NO_STACKS, deep: Deep::EMPTY };

    /// The packed word of every slot.
    #[inline(always)]
    pub fn words(&self) -> &G::Stacks {
        &self.packed
    }

    #[inline(always)]
    pub fn at(&self, slot: usize) -> Packed {
        Packed(self.packed.as_ref()[slot])
    }

    #[inline(always)]
    pub fn set_age(&mut self, slot: usize, age: u16) {
        self.packed.as_mut()[slot] = self.at(slot).with_age(age).0;
    }

    /// Cap C: length of the top run.
    #[inline(always)]
    pub fn cap(&self, slot: usize) -> usize {
        let stack = self.at(slot);
        let cap = stack.packed_cap();
        if cap == PACKED_RINGS {
            return self.tall_cap(slot);
        }
        cap
    }

    #[cold]
    fn tall_cap(&self, slot: usize) -> usize {
        let controller = self.at(slot).controller();
        PACKED_RINGS + self.deep.of(slot).rev().take_while(|colour| *colour == controller).count()
    }

    /// Ring colours (seats), bottom first.
    pub fn rings(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        let stack = self.at(slot);
        let packed = stack.height().min(PACKED_RINGS);
        self.deep_rings(slot).chain((0..packed).rev().map(move |index| (stack.0 >> (2 * index)) as usize & 3))
    }

    /// Colours of the rings below the sixteenth, bottom first.
    pub fn deep_rings(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        let tall = self.at(slot).height() > PACKED_RINGS;
        tall.then(|| self.deep.of(slot)).into_iter().flatten()
    }

    /// Does a ring of `colour` lie below the top ring?
    #[inline]
    pub fn has_buried(&self, slot: usize, colour: usize) -> bool {
        let stack = self.at(slot);
        stack.has_packed_buried(colour)
            || stack.height() > PACKED_RINGS && self.deep.of(slot).any(|ring| ring == colour)
    }

    /// Number of rings of `colour` in the stack.
    #[inline(always)]
    pub fn count_rings(&self, slot: usize, colour: usize) -> usize {
        let stack = self.at(slot);
        let packed = stack.places(colour).count_ones() as usize;
        if stack.height() > PACKED_RINGS {
            return packed + self.deep.of(slot).filter(|ring| *ring == colour).count();
        }
        packed
    }

    /// Puts a ring on top.
    #[inline(always)]
    pub fn push_top(&mut self, slot: usize, colour: usize) {
        let stack = self.at(slot);
        if stack.height() >= PACKED_RINGS {
            let len = self.deep.len as usize;
            self.deep.insert(len, slot, (stack.0 as usize >> (2 * (PACKED_RINGS - 1))) & 3);
        }
        let rings = (stack.0 << 2 | colour as u64) & RINGS;
        self.packed.as_mut()[slot] = ((stack.0 & !RINGS) + ONE_RING) | rings;
    }

    /// Takes the top ring; an emptied stack leaves 0 (its age included).
    #[inline(always)]
    pub fn pop_top(&mut self, slot: usize) -> usize {
        let stack = self.at(slot);
        let height = stack.height();
        let mut rings = (stack.0 & RINGS) >> 2;
        if height > PACKED_RINGS {
            rings |= (self.deep.pop(slot) as u64) << (2 * (PACKED_RINGS - 1));
        }
        self.packed.as_mut()[slot] = if height == 1 { 0 } else { ((stack.0 & !RINGS) - ONE_RING) | rings };
        stack.controller()
    }

    /// Puts a ring under the stack.
    #[inline(always)]
    pub fn push_bottom(&mut self, slot: usize, colour: usize) {
        let stack = self.at(slot);
        let height = stack.height();
        let mut word = stack.0 + ONE_RING;
        if height < PACKED_RINGS {
            word |= (colour as u64) << (2 * height);
        } else {
            self.deep.insert(0, slot, colour);
        }
        self.packed.as_mut()[slot] = word;
    }

    /// Takes the lowest ring of `colour`; false if there is none. An emptied stack leaves 0.
    pub fn take_lowest(&mut self, slot: usize, colour: usize) -> bool {
        let stack = self.at(slot);
        let height = stack.height();
        if height > PACKED_RINGS {
            let wanted = (slot << 2 | colour) as u16;
            if let Some(index) = self.deep.entries().iter().position(|ring| *ring == wanted) {
                self.deep.remove(index);
                self.packed.as_mut()[slot] = stack.0 - ONE_RING;
                return true;
            }
        }
        let places = stack.places(colour);
        if places == 0 {
            return false;
        }
        let at = 31 - places.leading_zeros();
        let above = stack.0 & ((1 << at) - 1);
        let mut rings = ((stack.0 & RINGS) >> (at + 2) << at) | above;
        if height > PACKED_RINGS {
            rings |= (self.deep.pop(slot) as u64) << (2 * (PACKED_RINGS - 1));
        }
        self.packed.as_mut()[slot] = if height == 1 { 0 } else { ((stack.0 & !RINGS) - ONE_RING) | rings };
        true
    }

    /// Moves a whole stack to an empty slot.
    #[inline(always)]
    pub fn carry(&mut self, from: usize, to: usize) {
        let packed = self.packed.as_mut();
        packed[to] = packed[from];
        packed[from] = 0;
        if Packed(packed[to]).height() > PACKED_RINGS {
            self.carry_deep(from, to);
        }
    }

    #[cold]
    fn carry_deep(&mut self, from: usize, to: usize) {
        let len = self.deep.len as usize;
        for ring in &mut self.deep.rings.as_mut()[..len] {
            if *ring as usize >> 2 == from {
                *ring = (to << 2) as u16 | (*ring & 3);
            }
        }
    }
}
