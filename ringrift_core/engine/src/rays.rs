//! Walking along rays: the first blocked cell, and where a capture may land.

use crate::bits::Bits;
use crate::board::Geometry;
use crate::state::State;

/// Number of cells from `slot` to the edge in `direction`.
#[inline(always)]
pub(crate) fn length<G: Geometry>(slot: usize, direction: usize) -> usize {
    G::tables().ray_length[slot][direction] as usize
}

/// The slot at `distance` from `slot`; it must be on the board.
#[inline(always)]
pub(crate) fn at<G: Geometry>(slot: usize, direction: usize, distance: usize) -> usize {
    (slot as i32 + G::OFFSETS[direction] * distance as i32) as usize
}

/// Direction and distance from one cell's slot to another's. They must lie on a common ray.
#[inline(always)]
pub(crate) fn between<G: Geometry>(from: usize, to: usize) -> (usize, usize) {
    let tables = G::tables();
    let dx = tables.x[to] as i32 - tables.x[from] as i32;
    let dy = tables.y[to] as i32 - tables.y[from] as i32;
    let index = ((dy.signum() + 1) * 3 + dx.signum() + 1) as usize;
    (DirectionOf::<G>::TABLE[index] as usize, dx.abs().max(dy.abs()) as usize)
}

/// Direction by signs of (dx, dy).
struct DirectionOf<G: Geometry>(std::marker::PhantomData<G>);

impl<G: Geometry> DirectionOf<G> {
    const TABLE: [u8; 9] = {
        let mut table = [0; 9];
        let mut direction = 0;
        while direction < G::BOARD.directions() {
            let (dx, dy) = G::BOARD.direction(direction);
            table[((dy + 1) * 3 + dx + 1) as usize] = direction as u8;
            direction += 1;
        }
        table
    };
}

/// What stands in the way: computed once per list of moves.
pub(crate) struct Obstacles<G: Geometry> {
    pub stacks: G::Bits,
    /// Stacks and collapsed cells.
    pub blocked: G::Bits,
}

/// Captures along one ray: the target's distance, and the distances of the first and last landing.
pub(crate) struct CaptureRay {
    pub target: usize,
    pub first: usize,
    pub last: usize,
}

impl<G: Geometry> State<G> {
    #[inline(always)]
    pub(crate) fn obstacles(&self) -> Obstacles<G> {
        let stacks = self.all_stacks();
        Obstacles { stacks, blocked: stacks | self.all_collapsed() }
    }

    /// Captures that a stack of this height and cap on `slot` has in `direction` (R101), given the distance of the first
    /// blocked cell there.
    #[inline(always)]
    pub(crate) fn capture_ray(
        &self,
        obstacles: &Obstacles<G>,
        slot: usize,
        direction: usize,
        first_blocked_at: usize,
        height: usize,
        cap: usize,
    ) -> Option<CaptureRay> {
        if first_blocked_at >= length::<G>(slot, direction) {
            return None;
        }
        let target = at::<G>(slot, direction, first_blocked_at);
        if !obstacles.stacks.has(target) || self.stacks.cap(target) > cap {
            return None;
        }
        let last = first_blocked_at + G::first_blocked(&obstacles.blocked, target, direction) - 1;
        let first = height.max(first_blocked_at + 1);
        (first <= last).then_some(CaptureRay { target: first_blocked_at, first, last })
    }

    /// Has a stack of this height and cap on `slot` a capture?
    #[inline(always)]
    pub(crate) fn can_capture_from(&self, obstacles: &Obstacles<G>, slot: usize, height: usize, cap: usize) -> bool {
        (0..G::BOARD.directions()).any(|direction| {
            let distance = G::first_blocked(&obstacles.blocked, slot, direction);
            self.capture_ray(obstacles, slot, direction, distance, height, cap).is_some()
        })
    }

    /// Has a stack of this height and cap on `slot` a plain move or a capture?
    #[inline(always)]
    pub(crate) fn can_act_from(&self, obstacles: &Obstacles<G>, slot: usize, height: usize, cap: usize) -> bool {
        (0..G::BOARD.directions()).any(|direction| {
            let distance = G::first_blocked(&obstacles.blocked, slot, direction);
            distance > height || self.capture_ray(obstacles, slot, direction, distance, height, cap).is_some()
        })
    }
}
