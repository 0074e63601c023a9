//! Capture segments (section 4.3, R101-R103).

use crate::bits::Bits;
use crate::board::Geometry;
use crate::moves::{Move, MoveKind, MoveList};
use crate::rays::{self, Obstacles};
use crate::state::State;

impl<G: Geometry> State<G> {
    /// Lists the captures along one ray: (slot, direction, distance of the first blocked cell), (height, cap).
    #[inline(always)]
    pub(crate) fn list_capture_ray(
        &self,
        obstacles: &Obstacles<G>,
        kind: MoveKind,
        (slot, direction, blocked_at): (usize, usize, usize),
        (height, cap): (usize, usize),
        list: &mut MoveList,
    ) {
        if let Some(ray) = self.capture_ray(obstacles, slot, direction, blocked_at, height, cap) {
            let from = Self::cell_of(slot);
            let target = Self::cell_of(rays::at::<G>(slot, direction, ray.target));
            for distance in ray.first..=ray.last {
                let landing = Self::cell_of(rays::at::<G>(slot, direction, distance));
                list.push(Move::new(kind, from, landing, target));
            }
        }
    }

    /// Lists all captures of the stack on `slot`.
    pub(crate) fn list_captures(&self, slot: usize, kind: MoveKind, list: &mut MoveList) {
        let obstacles = self.obstacles();
        let size = (self.stacks.at(slot).height(), self.stacks.cap(slot));
        for direction in 0..G::BOARD.directions() {
            let blocked_at = G::first_blocked(&obstacles.blocked, slot, direction);
            self.list_capture_ray(&obstacles, kind, (slot, direction, blocked_at), size, list);
        }
    }

    /// Does the mover control a stack on `slot` that can capture?
    pub(crate) fn can_go_on_capturing(&self, slot: usize) -> bool {
        self.controlled[self.mover()].has(slot)
            && self.can_capture_from(&self.obstacles(), slot, self.stacks.at(slot).height(), self.stacks.cap(slot))
    }

    pub(crate) fn capture(&mut self, from: usize, target: usize, landing: usize) {
        let (direction, distance) = rays::between::<G>(from, landing);
        self.leave_marker_and_cross(from, direction, distance);
        let controller = self.stacks.at(target).controller();
        self.controlled[controller].remove(target);
        let ring = self.stacks.pop_top(target);
        self.reread_control(target);
        self.stacks.push_bottom(from, ring);
        self.land(from, landing);
    }
}
