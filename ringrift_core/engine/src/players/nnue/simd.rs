//! The few vector operations of an NNUE, on every kind of CPU: all on whole numbers, so that all kinds agree to the bit.

/// Vectors of int16 and of int32 sums. Additions wrap around, so that they can be undone in any order.
///
/// # Safety
/// Every function needs a CPU with the instructions of the type, and pointers to a whole vector.
#[allow(clippy::missing_safety_doc)] // The trait says it once for all.
pub trait Simd {
    /// Numbers in a vector.
    const LANES: usize;
    type Vector: Copy;
    type Sums: Copy;

    unsafe fn load(from: *const i16) -> Self::Vector;
    unsafe fn store(to: *mut i16, vector: Self::Vector);
    unsafe fn add(one: Self::Vector, other: Self::Vector) -> Self::Vector;
    unsafe fn subtract(one: Self::Vector, other: Self::Vector) -> Self::Vector;
    /// Each number, but at least 0 and at most `CEILING`.
    unsafe fn clip(vector: Self::Vector) -> Self::Vector;
    unsafe fn zero() -> Self::Sums;
    /// Adds the squares of clipped numbers, each times its weight of at most 127 either way.
    unsafe fn add_squares(sums: Self::Sums, clipped: Self::Vector, weights: Self::Vector) -> Self::Sums;
    unsafe fn total(sums: Self::Sums) -> i32;
    /// A bit for each of at most 64 words that differ, of two slices of one length.
    unsafe fn differing(one: &[u64], other: &[u64]) -> u64;
}

/// What stands for 1 in an accumulator.
pub const CEILING: i16 = 255;

/// Without special instructions: what the compiler makes of it. Also the meaning of the others.
pub struct Portable;

const PORTABLE_LANES: usize = 8;

impl Simd for Portable {
    const LANES: usize = PORTABLE_LANES;
    type Vector = [i16; PORTABLE_LANES];
    type Sums = [i32; PORTABLE_LANES];

    #[inline(always)]
    unsafe fn load(from: *const i16) -> Self::Vector {
        std::ptr::read_unaligned(from.cast())
    }
    #[inline(always)]
    unsafe fn store(to: *mut i16, vector: Self::Vector) {
        std::ptr::write_unaligned(to.cast(), vector);
    }
    #[inline(always)]
    unsafe fn add(one: Self::Vector, other: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| one[lane].wrapping_add(other[lane]))
    }
    #[inline(always)]
    unsafe fn subtract(one: Self::Vector, other: Self::Vector) -> Self::Vector {
        std::array::from_fn(|lane| one[lane].wrapping_sub(other[lane]))
    }
    #[inline(always)]
    unsafe fn clip(vector: Self::Vector) -> Self::Vector {
        vector.map(|number| number.clamp(0, CEILING))
    }
    #[inline(always)]
    unsafe fn zero() -> Self::Sums {
        [0; PORTABLE_LANES]
    }
    #[inline(always)]
    unsafe fn add_squares(sums: Self::Sums, clipped: Self::Vector, weights: Self::Vector) -> Self::Sums {
        std::array::from_fn(|lane| {
            sums[lane] + clipped[lane] as i32 * (clipped[lane].wrapping_mul(weights[lane])) as i32
        })
    }
    #[inline(always)]
    unsafe fn total(sums: Self::Sums) -> i32 {
        sums.iter().sum()
    }
    #[inline(always)]
    unsafe fn differing(one: &[u64], other: &[u64]) -> u64 {
        let differ = |(place, (one, other)): (usize, (&u64, &u64))| ((one != other) as u64) << place;
        one.iter().zip(other).enumerate().map(differ).fold(0, |all, bit| all | bit)
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use crate::players::nnue::simd::{Portable, Simd, CEILING};
    use std::arch::x86_64::*;

    pub struct Avx2;

    impl Simd for Avx2 {
        const LANES: usize = 16;
        type Vector = __m256i;
        type Sums = __m256i;

        #[inline(always)]
        unsafe fn load(from: *const i16) -> __m256i {
            _mm256_loadu_si256(from.cast())
        }
        #[inline(always)]
        unsafe fn store(to: *mut i16, vector: __m256i) {
            _mm256_storeu_si256(to.cast(), vector);
        }
        #[inline(always)]
        unsafe fn add(one: __m256i, other: __m256i) -> __m256i {
            _mm256_add_epi16(one, other)
        }
        #[inline(always)]
        unsafe fn subtract(one: __m256i, other: __m256i) -> __m256i {
            _mm256_sub_epi16(one, other)
        }
        #[inline(always)]
        unsafe fn clip(vector: __m256i) -> __m256i {
            _mm256_min_epi16(_mm256_max_epi16(vector, _mm256_setzero_si256()), _mm256_set1_epi16(CEILING))
        }
        #[inline(always)]
        unsafe fn zero() -> __m256i {
            _mm256_setzero_si256()
        }
        #[inline(always)]
        unsafe fn add_squares(sums: __m256i, clipped: __m256i, weights: __m256i) -> __m256i {
            // 255 x 127 is within int16.
            _mm256_add_epi32(sums, _mm256_madd_epi16(clipped, _mm256_mullo_epi16(clipped, weights)))
        }
        #[inline(always)]
        unsafe fn total(sums: __m256i) -> i32 {
            let halves = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
            let pairs = _mm_add_epi32(halves, _mm_shuffle_epi32(halves, 0b0100_1110));
            _mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0b1011_0001)))
        }
        #[inline(always)]
        unsafe fn differing(one: &[u64], other: &[u64]) -> u64 {
            let (whole, mut differing) = (one.len() / 4 * 4, 0);
            for first in (0..whole).step_by(4) {
                let left = _mm256_loadu_si256(one.as_ptr().add(first).cast());
                let right = _mm256_loadu_si256(other.as_ptr().add(first).cast());
                let equal = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(left, right)));
                differing |= ((equal ^ 0b1111) as u64) << first;
            }
            if whole < one.len() {
                differing |= Portable::differing(&one[whole..], &other[whole..]) << whole;
            }
            differing
        }
    }

    pub struct Avx512;

    impl Simd for Avx512 {
        const LANES: usize = 32;
        type Vector = __m512i;
        type Sums = __m512i;

        #[inline(always)]
        unsafe fn load(from: *const i16) -> __m512i {
            _mm512_loadu_si512(from.cast())
        }
        #[inline(always)]
        unsafe fn store(to: *mut i16, vector: __m512i) {
            _mm512_storeu_si512(to.cast(), vector);
        }
        #[inline(always)]
        unsafe fn add(one: __m512i, other: __m512i) -> __m512i {
            _mm512_add_epi16(one, other)
        }
        #[inline(always)]
        unsafe fn subtract(one: __m512i, other: __m512i) -> __m512i {
            _mm512_sub_epi16(one, other)
        }
        #[inline(always)]
        unsafe fn clip(vector: __m512i) -> __m512i {
            _mm512_min_epi16(_mm512_max_epi16(vector, _mm512_setzero_si512()), _mm512_set1_epi16(CEILING))
        }
        #[inline(always)]
        unsafe fn zero() -> __m512i {
            _mm512_setzero_si512()
        }
        #[inline(always)]
        unsafe fn add_squares(sums: __m512i, clipped: __m512i, weights: __m512i) -> __m512i {
            _mm512_add_epi32(sums, _mm512_madd_epi16(clipped, _mm512_mullo_epi16(clipped, weights)))
        }
        #[inline(always)]
        unsafe fn total(sums: __m512i) -> i32 {
            _mm512_reduce_add_epi32(sums)
        }
        #[inline(always)]
        unsafe fn differing(one: &[u64], other: &[u64]) -> u64 {
            let (whole, mut differing) = (one.len() / 8 * 8, 0);
            for first in (0..whole).step_by(8) {
                let left = _mm512_loadu_si512(one.as_ptr().add(first).cast());
                let right = _mm512_loadu_si512(other.as_ptr().add(first).cast());
                differing |= (_mm512_cmpneq_epi64_mask(left, right) as u64) << first;
            }
            if whole < one.len() {
                let rest = !0 >> (8 - (one.len() - whole));
                let left = _mm512_maskz_loadu_epi64(rest, one.as_ptr().add(whole).cast());
                let right = _mm512_maskz_loadu_epi64(rest, other.as_ptr().add(whole).cast());
                differing |= (_mm512_cmpneq_epi64_mask(left, right) as u64) << whole;
            }
            differing
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use crate::players::nnue::simd::{Portable, Simd, CEILING};
    use std::arch::aarch64::*;

    pub struct Neon;

    impl Simd for Neon {
        const LANES: usize = 8;
        type Vector = int16x8_t;
        type Sums = int32x4_t;

        #[inline(always)]
        unsafe fn load(from: *const i16) -> int16x8_t {
            vld1q_s16(from)
        }
        #[inline(always)]
        unsafe fn store(to: *mut i16, vector: int16x8_t) {
            vst1q_s16(to, vector);
        }
        #[inline(always)]
        unsafe fn add(one: int16x8_t, other: int16x8_t) -> int16x8_t {
            vaddq_s16(one, other)
        }
        #[inline(always)]
        unsafe fn subtract(one: int16x8_t, other: int16x8_t) -> int16x8_t {
            vsubq_s16(one, other)
        }
        #[inline(always)]
        unsafe fn clip(vector: int16x8_t) -> int16x8_t {
            vminq_s16(vmaxq_s16(vector, vdupq_n_s16(0)), vdupq_n_s16(CEILING))
        }
        #[inline(always)]
        unsafe fn zero() -> int32x4_t {
            vdupq_n_s32(0)
        }
        #[inline(always)]
        unsafe fn add_squares(sums: int32x4_t, clipped: int16x8_t, weights: int16x8_t) -> int32x4_t {
            let weighted = vmulq_s16(clipped, weights);
            let low = vmlal_s16(sums, vget_low_s16(clipped), vget_low_s16(weighted));
            vmlal_high_s16(low, clipped, weighted)
        }
        #[inline(always)]
        unsafe fn total(sums: int32x4_t) -> i32 {
            vaddvq_s32(sums)
        }
        #[inline(always)]
        unsafe fn differing(one: &[u64], other: &[u64]) -> u64 {
            Portable::differing(one, other)
        }
    }
}
