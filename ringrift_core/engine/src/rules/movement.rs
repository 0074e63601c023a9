//! Plain moves (section 4.2, R091-R093), and the path effects that captures share.

use crate::bits::Bits;
use crate::board::{Geometry, NONE};
use crate::moves::{Move, MoveKind, MoveList};
use crate::rays::{self, Obstacles};
use crate::state::State;

impl<G: Geometry> State<G> {
    /// Can a stack of `seat` move or capture?
    pub(crate) fn has_stack_action(&self, seat: usize) -> bool {
        if self.controlled[seat].is_empty() {
            return false;
        }
        let obstacles = self.obstacles();
        self.controlled[seat]
            .any(|slot| self.can_act_from(&obstacles, slot, self.stacks.at(slot).height(), self.stacks.cap(slot)))
    }

    /// Lists the moves and captures of the stack that must move, or of all the mover's stacks.
    pub(crate) fn list_stack_actions(&self, list: &mut MoveList) {
        let obstacles = self.obstacles();
        if self.turn.must_move != NONE {
            self.list_actions_of(&obstacles, self.turn.must_move as usize, list);
        } else {
            self.controlled[self.mover()].for_each(|slot| self.list_actions_of(&obstacles, slot, list));
        }
    }

    #[inline(always)]
    fn list_actions_of(&self, obstacles: &Obstacles<G>, slot: usize, list: &mut MoveList) {
        let height = self.stacks.at(slot).height();
        let cap = self.stacks.cap(slot);
        let from = Self::cell_of(slot);
        for direction in 0..G::BOARD.directions() {
            let blocked_at = G::first_blocked(&obstacles.blocked, slot, direction);
            for distance in height..blocked_at {
                let to = Self::cell_of(rays::at::<G>(slot, direction, distance));
                list.push(Move::new(MoveKind::MoveStack, from, to, 0));
            }
            self.list_capture_ray(
                obstacles,
                MoveKind::OvertakingCapture,
                (slot, direction, blocked_at),
                (height, cap),
                list,
            );
        }
    }

    pub(crate) fn move_stack(&mut self, from: usize, to: usize) {
        let (direction, distance) = rays::between::<G>(from, to);
        self.leave_marker_and_cross(from, direction, distance);
        self.land(from, to);
    }

    /// The origin's marker is set and the markers strictly between flip or collapse (R092). The stack itself still waits
    /// to be carried by `land`.
    #[inline(always)]
    pub(crate) fn leave_marker_and_cross(&mut self, from: usize, direction: usize, distance: usize) {
        let mover = self.mover();
        self.controlled[mover].remove(from);
        let markers = self.all_markers();
        self.markers[mover].insert(from);
        if markers.is_empty() {
            return;
        }
        for step in 1..distance {
            let slot = rays::at::<G>(from, direction, step);
            if !markers.has(slot) {
                continue;
            }
            if self.markers[mover].has(slot) {
                self.markers[mover].remove(slot);
                self.collapse(slot);
            } else {
                for owner in &mut self.markers {
                    owner.remove(slot);
                }
                self.markers[mover].insert(slot);
            }
        }
    }

    /// Carries the moving stack to its landing cell; a marker there is removed and paid with the top ring.
    #[inline(always)]
    pub(crate) fn land(&mut self, from: usize, to: usize) {
        let mover = self.mover();
        self.stacks.carry(from, to);
        self.renew_age(to);
        self.controlled[mover].insert(to);
        if self.all_markers().has(to) {
            for owner in &mut self.markers {
                owner.remove(to);
            }
            self.eliminate_top(to);
        }
    }
}
