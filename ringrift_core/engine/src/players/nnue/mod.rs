//! An efficiently updatable neural network (Nasu 2018) as a judge: small enough for any search.
//!
//! Each seat has a perspective, an accumulator of the rows of its inputs (`inputs`); all perspectives share the rows. A
//! seat's logit is a weighted sum over its own squared clipped accumulator and the mean of the others', by one of several
//! heads. Values are logits less their mean: they cancel out, and their softmax is the win probability.
//!
//! An accumulator is a function of the position alone. Positions on the desk are bases, from which another position is
//! reached by the rows of what differs, so copying a state stays the undo, and no search tells what it has changed.
//! Everything is a whole number until the last step: every kernel, base and machine has the same values to the bit.

pub mod inputs;
pub mod parameters;
pub mod simd;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::board::{Geometry, MAX_PLAYERS};
use crate::players::calibration::Calibration;
use crate::players::judge::Judge;
use crate::players::tensors::Configuration;
use crate::players::values::Values;
use crate::setup::Setup;
use crate::state::State;

use inputs::{bucket_of_mover, bucket_of_seat, turn, Contents, Difference, Input};
use parameters::{width, Parameters, MOST_ACCUMULATORS};
use simd::{Portable, Simd};

/// Whose instructions are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kernel {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Kernel {
    /// Those that this CPU has, slowest first.
    pub fn available() -> Vec<Kernel> {
        #[allow(unused_mut)] // Nothing is added on other kinds of CPU.
        let mut kernels = vec![Kernel::Portable];
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            kernels.push(Kernel::Avx2);
            if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512bw") {
                kernels.push(Kernel::Avx512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            kernels.push(Kernel::Neon);
        }
        kernels
    }

    pub const fn name(self) -> &'static str {
        match self {
            Kernel::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => "neon",
        }
    }
}

/// The judge by a network of one configuration.
#[derive(Clone, Debug)]
pub struct Nnue {
    parameters: Arc<Parameters>,
    /// One that this CPU has: whoever makes a judge makes sure.
    kernel: Kernel,
}

impl PartialEq for Nnue {
    fn eq(&self, other: &Nnue) -> bool {
        Arc::ptr_eq(&self.parameters, &other.parameters) && self.kernel == other.kernel
    }
}

impl Nnue {
    /// By the fastest kernel that this CPU has.
    pub fn new(parameters: Parameters) -> Nnue {
        let kernel = Kernel::available().into_iter().last().unwrap_or(Kernel::Portable);
        Nnue { parameters: Arc::new(parameters), kernel }
    }

    /// The same judge by another kernel; none where this CPU does not have it.
    pub fn by(&self, kernel: Kernel) -> Option<Nnue> {
        Kernel::available().contains(&kernel).then(|| Nnue { kernel, ..self.clone() })
    }

    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The games that it judges.
    pub fn configuration(&self) -> Configuration {
        self.parameters.configuration
    }
}

/// The accumulators of all perspectives, one after the other.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Accumulators([i16; MOST_ACCUMULATORS]);

/// A position and what was summed up of it.
struct Base<G: Geometry> {
    contents: Contents<G>,
    accumulators: Accumulators,
}

/// Bases by ply.
pub struct Desk<G: Geometry> {
    bases: Vec<Option<Box<Base<G>>>>,
    difference: Difference,
}

impl<G: Geometry> Default for Desk<G> {
    fn default() -> Self {
        Desk { bases: Vec::new(), difference: Difference::default() }
    }
}

impl Judge for Nnue {
    type Desk<G: Geometry> = Desk<G>;

    fn approach<G: Geometry>(&self, state: &State<G>, ply: usize, desk: &mut Desk<G>) {
        self.work::<G, true>(state, ply, desk);
    }

    #[inline]
    fn estimate<G: Geometry>(&self, state: &State<G>, ply: usize, desk: &mut Desk<G>) -> Values {
        let numerators = self.work::<G, false>(state, ply, desk);
        let players = state.players();
        let total: i64 = numerators.iter().sum();
        let mut values = [0.0; MAX_PLAYERS];
        for (value, numerator) in values.iter_mut().zip(numerators).take(players) {
            *value = (players as i64 * numerator - total) as f32 * self.parameters.unit();
        }
        values
    }

    fn calibration(&self, _: &Setup) -> Calibration {
        self.parameters.units.calibration
    }

    fn leaf_calibration(&self, _: &Setup) -> Calibration {
        self.parameters.units.leaf_calibration
    }

    fn noise_unit(&self) -> f32 {
        self.parameters.units.noise
    }
}

impl Nnue {
    /// Enters a position as the base of a ply (`STORE`), or gives the numerators of its logits.
    #[inline(always)]
    fn work<G: Geometry, const STORE: bool>(
        &self,
        state: &State<G>,
        ply: usize,
        desk: &mut Desk<G>,
    ) -> [i64; MAX_PLAYERS] {
        let (parameters, players) = (&*self.parameters, state.players());
        // Rows are not looked up with a check each.
        let configuration = Configuration { board: G::BOARD, players };
        assert!(parameters.configuration == configuration, "a network judges its own games");
        // Safety: the kernel is one of this CPU, and the numbers of vectors are those of the width.
        unsafe {
            match (self.kernel, players) {
                (Kernel::Portable, 2) => work::<Portable, G, STORE, 2, 8>(parameters, state, ply, desk),
                (Kernel::Portable, 3) => work::<Portable, G, STORE, 3, 8>(parameters, state, ply, desk),
                (Kernel::Portable, _) => work::<Portable, G, STORE, 4, 4>(parameters, state, ply, desk),
                #[cfg(target_arch = "x86_64")]
                (Kernel::Avx2, 2) => work_avx2::<G, STORE, 2, 4>(parameters, state, ply, desk),
                #[cfg(target_arch = "x86_64")]
                (Kernel::Avx2, 3) => work_avx2::<G, STORE, 3, 4>(parameters, state, ply, desk),
                #[cfg(target_arch = "x86_64")]
                (Kernel::Avx2, _) => work_avx2::<G, STORE, 4, 2>(parameters, state, ply, desk),
                #[cfg(target_arch = "x86_64")]
                (Kernel::Avx512, 2) => work_avx512::<G, STORE, 2, 2>(parameters, state, ply, desk),
                #[cfg(target_arch = "x86_64")]
                (Kernel::Avx512, 3) => work_avx512::<G, STORE, 3, 2>(parameters, state, ply, desk),
                #[cfg(target_arch = "x86_64")]
                (Kernel::Avx512, _) => work_avx512::<G, STORE, 4, 1>(parameters, state, ply, desk),
                #[cfg(target_arch = "aarch64")]
                (Kernel::Neon, 2) => work::<simd::Neon, G, STORE, 2, 8>(parameters, state, ply, desk),
                #[cfg(target_arch = "aarch64")]
                (Kernel::Neon, 3) => work::<simd::Neon, G, STORE, 3, 8>(parameters, state, ply, desk),
                #[cfg(target_arch = "aarch64")]
                (Kernel::Neon, _) => work::<simd::Neon, G, STORE, 4, 4>(parameters, state, ply, desk),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn work_avx2<G: Geometry, const STORE: bool, const N: usize, const V: usize>(
    parameters: &Parameters,
    state: &State<G>,
    ply: usize,
    desk: &mut Desk<G>,
) -> [i64; MAX_PLAYERS] {
    work::<simd::Avx2, G, STORE, N, V>(parameters, state, ply, desk)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn work_avx512<G: Geometry, const STORE: bool, const N: usize, const V: usize>(
    parameters: &Parameters,
    state: &State<G>,
    ply: usize,
    desk: &mut Desk<G>,
) -> [i64; MAX_PLAYERS] {
    work::<simd::Avx512, G, STORE, N, V>(parameters, state, ply, desk)
}

/// # Safety
/// The CPU has the instructions of `S`, the parameters are for `N` players on the board of `G`, and `V` vectors are as wide
/// as an accumulator.
#[inline(always)]
unsafe fn work<S: Simd, G: Geometry, const STORE: bool, const N: usize, const V: usize>(
    parameters: &Parameters,
    state: &State<G>,
    ply: usize,
    desk: &mut Desk<G>,
) -> [i64; MAX_PLAYERS] {
    debug_assert_eq!(V * S::LANES, width(N));
    let Desk { bases, difference } = desk;
    let near = bases.iter().take(ply + 1).rev().flatten().next();
    let sums = match near {
        Some(base) => {
            difference.between::<S, G, N>(&base.contents, state);
            summed::<S, N, V>(parameters, base.accumulators.0.as_ptr(), V * S::LANES, difference)
        }
        None => {
            difference.of_all(state);
            summed::<S, N, V>(parameters, parameters.bias(), 0, difference)
        }
    };
    if !STORE {
        return numerators::<S, G, N, V>(parameters, &sums, state);
    }
    if bases.len() <= ply {
        bases.resize_with(ply + 1, || None);
    }
    let empty = || Box::new(Base { contents: Contents::of(state), accumulators: Accumulators([0; MOST_ACCUMULATORS]) });
    let base = bases[ply].get_or_insert_with(empty);
    base.contents = Contents::of(state);
    for (place, vector) in sums.as_flattened().iter().enumerate() {
        S::store(base.accumulators.0.as_mut_ptr().add(place * S::LANES), *vector);
    }
    [0; MAX_PLAYERS]
}

/// The accumulators of all perspectives: a base's, `stride` numbers apart, less the rows that it lost, with those that it
/// gained.
///
/// # Safety
/// As `work`; `from` has a whole accumulator for each perspective.
#[inline(always)]
unsafe fn summed<S: Simd, const N: usize, const V: usize>(
    parameters: &Parameters,
    from: *const i16,
    stride: usize,
    difference: &Difference,
) -> [[S::Vector; V]; N] {
    let mut sums = [[S::load(from); V]; N];
    for (perspective, sums) in sums.iter_mut().enumerate() {
        for (place, sum) in sums.iter_mut().enumerate() {
            *sum = S::load(from.add(perspective * stride + place * S::LANES));
        }
    }
    for input in &difference.removed {
        for (perspective, sums) in sums.iter_mut().enumerate() {
            let row = row::<S, N, V>(parameters, *input, perspective);
            for (place, sum) in sums.iter_mut().enumerate() {
                *sum = S::subtract(*sum, S::load(row.add(place * S::LANES)));
            }
        }
    }
    for input in &difference.added {
        for (perspective, sums) in sums.iter_mut().enumerate() {
            let row = row::<S, N, V>(parameters, *input, perspective);
            for (place, sum) in sums.iter_mut().enumerate() {
                *sum = S::add(*sum, S::load(row.add(place * S::LANES)));
            }
        }
    }
    sums
}

/// What an input adds to the accumulator of a perspective.
///
/// # Safety
/// As `work`.
#[inline(always)]
unsafe fn row<S: Simd, const N: usize, const V: usize>(
    parameters: &Parameters,
    input: Input,
    perspective: usize,
) -> *const i16 {
    let offset = (input.owner() + N - perspective) % N;
    parameters.rows().add((input.number() * N + offset) * V * S::LANES)
}

/// The logit of every seat, in units of 1 / (`ONE` x (players - 1)).
///
/// # Safety
/// As `work`.
#[inline(always)]
unsafe fn numerators<S: Simd, G: Geometry, const N: usize, const V: usize>(
    parameters: &Parameters,
    sums: &[[S::Vector; V]; N],
    state: &State<G>,
) -> [i64; MAX_PLAYERS] {
    let (head, mover) = (bucket_of_mover(state), state.mover());
    let (mut biases, mut heads) = ([0; N], [parameters.head(0); N]);
    let (mut own, mut others) = ([S::zero(); N], [S::zero(); N]);
    for seat in 0..N {
        let bucket = bucket_of_seat(head, seat, mover, N);
        heads[seat] = parameters.head(bucket);
        biases[seat] = parameters.head_bias(bucket) as i64;
    }
    turn(state, |owner, number| {
        for (seat, bias) in biases.iter_mut().enumerate() {
            *bias += parameters.turn((owner + N - seat) % N, number) as i64;
        }
    });
    for (perspective, sums) in sums.iter().enumerate() {
        for (place, sum) in sums.iter().enumerate() {
            let (clipped, lane) = (S::clip(*sum), place * S::LANES);
            for seat in 0..N {
                let weights = heads[seat].add(lane);
                if seat == perspective {
                    own[seat] = S::add_squares(own[seat], clipped, S::load(weights));
                } else {
                    others[seat] = S::add_squares(others[seat], clipped, S::load(weights.add(V * S::LANES)));
                }
            }
        }
    }
    let mut numerators = [0; MAX_PLAYERS];
    for seat in 0..N {
        let mine = S::total(own[seat]) as i64 + biases[seat];
        numerators[seat] = mine * (N as i64 - 1) + S::total(others[seat]) as i64;
    }
    numerators
}
