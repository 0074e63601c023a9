//! Fixed-size bit sets over the slots of a board: one machine word where the board fits, an array of words elsewhere.

use std::fmt::Debug;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

/// A set of slots. All operations are branch-free over the words; nothing allocates.
pub trait Bits:
    Copy
    + Eq
    + Debug
    + Send
    + Sync
    + 'static
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + Not<Output = Self>
    + BitAndAssign
    + BitOrAssign
{
    /// The empty set.
    const EMPTY: Self;

    /// Is `slot` in the set?
    fn has(&self, slot: usize) -> bool;
    /// Adds `slot`.
    fn insert(&mut self, slot: usize);
    /// Takes `slot` out.
    fn remove(&mut self, slot: usize);
    /// Is the set empty?
    fn is_empty(&self) -> bool;
    /// Number of slots in the set.
    fn count(&self) -> u32;
    /// The smallest slot, if any.
    fn lowest(&self) -> Option<usize>;
    /// Every slot `s` becomes `s + offset`; slots pushed over either end vanish. |offset| < 64.
    fn shift(self, offset: i32) -> Self;
    /// Calls `visit` with every slot in ascending order until it returns true; says whether it did.
    fn any(self, visit: impl FnMut(usize) -> bool) -> bool;

    /// Calls `visit` with the index and the content of every 64-slot word.
    fn for_each_word(self, visit: impl FnMut(usize, u64));

    /// Calls `visit` with every slot in ascending order.
    #[inline(always)]
    fn for_each(self, mut visit: impl FnMut(usize)) {
        self.any(|slot| {
            visit(slot);
            false
        });
    }

    /// The set `{slot}`.
    #[inline(always)]
    fn only(slot: usize) -> Self {
        let mut set = Self::EMPTY;
        set.insert(slot);
        set
    }
}

/// One half of a double word: scanning halves is cheaper than scanning the whole.
#[inline(always)]
fn half(word: u128, index: usize) -> u64 {
    if index == 0 {
        word as u64
    } else {
        (word >> 64) as u64
    }
}

macro_rules! word_bits {
    ($word:ty) => {
        impl Bits for $word {
            const EMPTY: Self = 0;

            #[inline(always)]
            fn has(&self, slot: usize) -> bool {
                (half(*self as u128, slot / 64) >> (slot % 64)) & 1 != 0
            }
            #[inline(always)]
            fn insert(&mut self, slot: usize) {
                *self |= 1 << slot;
            }
            #[inline(always)]
            fn remove(&mut self, slot: usize) {
                *self &= !(1 << slot);
            }
            #[inline(always)]
            fn is_empty(&self) -> bool {
                *self == 0
            }
            #[inline(always)]
            fn count(&self) -> u32 {
                self.count_ones()
            }
            #[inline(always)]
            fn lowest(&self) -> Option<usize> {
                (*self != 0).then(|| self.trailing_zeros() as usize)
            }
            #[inline(always)]
            fn shift(self, offset: i32) -> Self {
                if offset >= 0 {
                    self << offset
                } else {
                    self >> -offset
                }
            }
            #[inline(always)]
            fn for_each_word(self, mut visit: impl FnMut(usize, u64)) {
                for index in 0..std::mem::size_of::<$word>() / 8 {
                    visit(index, (self as u128 >> (64 * index)) as u64);
                }
            }
            #[inline(always)]
            fn any(self, mut visit: impl FnMut(usize) -> bool) -> bool {
                for index in 0..std::mem::size_of::<$word>() / 8 {
                    let mut word = half(self as u128, index);
                    while word != 0 {
                        if visit(64 * index + word.trailing_zeros() as usize) {
                            return true;
                        }
                        word &= word - 1;
                    }
                }
                false
            }
        }
    };
}

word_bits!(u64);
word_bits!(u128);

/// A set over `64 * N` slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words<const N: usize>(pub [u64; N]);

impl<const N: usize> BitAnd for Words<N> {
    type Output = Self;
    #[inline(always)]
    fn bitand(mut self, other: Self) -> Self {
        self &= other;
        self
    }
}

impl<const N: usize> BitOr for Words<N> {
    type Output = Self;
    #[inline(always)]
    fn bitor(mut self, other: Self) -> Self {
        self |= other;
        self
    }
}

impl<const N: usize> Not for Words<N> {
    type Output = Self;
    #[inline(always)]
    fn not(mut self) -> Self {
        for word in &mut self.0 {
            *word = !*word;
        }
        self
    }
}

impl<const N: usize> BitAndAssign for Words<N> {
    #[inline(always)]
    fn bitand_assign(&mut self, other: Self) {
        for (word, theirs) in self.0.iter_mut().zip(other.0) {
            *word &= theirs;
        }
    }
}

impl<const N: usize> BitOrAssign for Words<N> {
    #[inline(always)]
    fn bitor_assign(&mut self, other: Self) {
        for (word, theirs) in self.0.iter_mut().zip(other.0) {
            *word |= theirs;
        }
    }
}

impl<const N: usize> Bits for Words<N> {
    const EMPTY: Self = Words([0; N]);

    #[inline(always)]
    fn has(&self, slot: usize) -> bool {
        (self.0[slot >> 6] >> (slot & 63)) & 1 != 0
    }
    #[inline(always)]
    fn insert(&mut self, slot: usize) {
        self.0[slot >> 6] |= 1 << (slot & 63);
    }
    #[inline(always)]
    fn remove(&mut self, slot: usize) {
        self.0[slot >> 6] &= !(1 << (slot & 63));
    }
    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }
    #[inline(always)]
    fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
    #[inline(always)]
    fn lowest(&self) -> Option<usize> {
        let index = self.0.iter().position(|word| *word != 0)?;
        Some(index * 64 + self.0[index].trailing_zeros() as usize)
    }
    #[inline(always)]
    fn shift(self, offset: i32) -> Self {
        let mut out = [0; N];
        if offset > 0 {
            out[0] = self.0[0] << offset;
            for (index, pair) in self.0.windows(2).enumerate() {
                out[index + 1] = (pair[1] << offset) | (pair[0] >> (64 - offset));
            }
        } else if offset < 0 {
            for (index, pair) in self.0.windows(2).enumerate() {
                out[index] = (pair[0] >> -offset) | (pair[1] << (64 + offset));
            }
            out[N - 1] = self.0[N - 1] >> -offset;
        } else {
            out = self.0;
        }
        Words(out)
    }
    #[inline(always)]
    fn for_each_word(self, mut visit: impl FnMut(usize, u64)) {
        for (index, word) in self.0.into_iter().enumerate() {
            visit(index, word);
        }
    }
    #[inline(always)]
    fn any(self, mut visit: impl FnMut(usize) -> bool) -> bool {
        for (index, word) in self.0.into_iter().enumerate() {
            if word.any(|bit| visit(index * 64 + bit)) {
                return true;
            }
        }
        false
    }
}
