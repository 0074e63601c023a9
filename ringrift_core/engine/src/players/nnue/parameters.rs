//! What an NNUE consists of, and the file that it is read from: safetensors, which names its tensors and what they are for.

use std::fmt;

use crate::error::Error;
use crate::players::nnue::inputs::{buckets, inputs_of_seat, INPUTS_VERSION, TURN_INPUTS};
use crate::players::nnue::simd::CEILING;
use crate::players::tensors::{Configuration, Tensors, Units};

/// Numbers in the accumulator of one perspective. All perspectives' are summed up side by side, in registers: no more of
/// them than there are.
pub const fn width(players: usize) -> usize {
    if players < 4 {
        64
    } else {
        32
    }
}

/// Most numbers in the accumulators of all perspectives.
pub const MOST_ACCUMULATORS: usize = 3 * width(3);

/// What stands for 1 in a head's weights, which are at most `MOST_WEIGHT` either way.
pub const HEAD_ONE: i64 = 64;
pub const MOST_WEIGHT: i16 = 127;

/// What stands for 1 in a logit.
pub const ONE: i64 = CEILING as i64 * CEILING as i64 * HEAD_ONE;

/// So many bytes begin where a vector may.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Aligned([i16; 32]);

/// The parameters of a network of one configuration.
pub struct Parameters {
    pub configuration: Configuration,
    pub units: Units,
    /// `[inputs of a seat, players, width]`, the second by how many seats the owner sits after the perspective's: what an
    /// input adds to all perspectives lies side by side.
    rows: Vec<Aligned>,
    bias: Vec<Aligned>,
    /// `[buckets, 2, width]`: of the own accumulator, and of the others'.
    heads: Vec<Aligned>,
    head_bias: Vec<i32>,
    /// `[players, inputs of a turn]`: by how many seats the owner sits after the logit's.
    turn: Vec<i32>,
    unit: f32,
}

impl Parameters {
    /// Those of a file's content; an error that names the place when it is none, or one for another engine.
    pub fn read(content: &[u8]) -> Result<Parameters, Error> {
        let file = Tensors::read(content)?;
        file.expect("kind", "nnue")?;
        file.expect("format", "1")?;
        file.expect("inputs", &INPUTS_VERSION.to_string())?;
        let configuration = file.configuration()?;
        let Configuration { board, players } = configuration;
        let (width, buckets) = (width(players), buckets(players));
        let heads: Vec<i16> = file.numbers("heads", &[buckets, 2, width])?;
        if let Some(weight) = heads.iter().find(|weight| weight.unsigned_abs() > MOST_WEIGHT as u16) {
            return Err(Error::new("heads", format!("{weight}: expected -{MOST_WEIGHT} to {MOST_WEIGHT}")));
        }
        let head_bias: Vec<i32> = file.numbers("head_bias", &[buckets])?;
        let turn: Vec<i32> = file.numbers("turn", &[players, TURN_INPUTS])?;
        Ok(Parameters {
            configuration,
            units: file.units()?,
            rows: aligned(&file.numbers("rows", &[inputs_of_seat(board, players), players, width])?),
            bias: aligned(&file.numbers("bias", &[width])?),
            heads: aligned(&heads),
            head_bias,
            turn,
            unit: 1.0 / (ONE * (players as i64 - 1) * players as i64) as f32,
        })
    }

    #[inline(always)]
    pub(super) fn rows(&self) -> *const i16 {
        self.rows.as_ptr().cast()
    }

    #[inline(always)]
    pub(super) fn bias(&self) -> *const i16 {
        self.bias.as_ptr().cast()
    }

    /// The weights of a bucket: of the own accumulator, then of the others'.
    #[inline(always)]
    pub(super) fn head(&self, bucket: usize) -> *const i16 {
        self.heads[bucket * 2 * width(self.configuration.players) / 32..].as_ptr().cast()
    }

    #[inline(always)]
    pub(super) fn head_bias(&self, bucket: usize) -> i32 {
        self.head_bias[bucket]
    }

    /// What an input of the turn adds to the logit of a seat, whose owner sits so many seats after it.
    #[inline(always)]
    pub(super) fn turn(&self, offset: usize, number: usize) -> i32 {
        self.turn[offset * TURN_INPUTS + number]
    }

    /// What one step of `players` x numerator less the sum of all numerators is worth.
    #[inline(always)]
    pub(super) fn unit(&self) -> f32 {
        self.unit
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<parameters of {}>", self.configuration)
    }
}

/// All widths are multiples of 32.
fn aligned(numbers: &[i16]) -> Vec<Aligned> {
    numbers.chunks_exact(32).map(|chunk| Aligned(std::array::from_fn(|place| chunk[place]))).collect()
}
