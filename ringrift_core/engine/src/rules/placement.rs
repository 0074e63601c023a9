//! Placement (section 4.1, R081-R082) and the skip (R080).

use crate::bits::Bits;
use crate::board::{for_each_direction, Geometry};
use crate::moves::{Move, MoveKind, MoveList};
use crate::rays::Obstacles;
use crate::state::State;

/// Most rings placed at once.
const MOST_RINGS: usize = 3;

impl<G: Geometry> State<G> {
    /// Lists every legal `place_ring` of the mover.
    pub(crate) fn list_placements(&self, list: &mut MoveList) {
        let mover = self.mover();
        let most = MOST_RINGS.min(self.hand[mover] as usize);
        if most == 0 {
            return;
        }
        let obstacles = self.obstacles();
        let empty = G::CELLS & !obstacles.blocked & !self.all_markers();
        let open = Self::open_rays(&obstacles, most);
        let all_open = open[..most].iter().fold(empty, |all, set| all & *set);
        all_open.for_each(|slot| {
            let cell = Self::cell_of(slot);
            list.extend([1, 2, 3].map(|count| Move::new(MoveKind::PlaceRing, cell, count, 0)), most);
        });
        (empty & !all_open).for_each(|slot| {
            let cell = Self::cell_of(slot);
            for count in 1..=most {
                if open[count - 1].has(slot) || self.can_capture_from(&obstacles, slot, count, count) {
                    list.push(Move::new(MoveKind::PlaceRing, cell, count, 0));
                }
            }
        });
        obstacles.stacks.for_each(|slot| {
            if self.can_place_on_stack(&obstacles, slot, mover) {
                list.push(Move::new(MoveKind::PlaceRing, Self::cell_of(slot), 1, 0));
            }
        });
    }

    /// For heights 1 to `most`: slots from which a stack of that height would have a plain move.
    #[inline(always)]
    fn open_rays(obstacles: &Obstacles<G>, most: usize) -> [G::Bits; MOST_RINGS] {
        let free = G::CELLS & !obstacles.blocked;
        let mut open = [G::Bits::EMPTY; MOST_RINGS];
        for_each_direction!(G, direction => {
            let mut reach = free;
            for set in &mut open[..most] {
                let from = G::step(reach, direction);
                *set |= from;
                reach = free & from;
            }
        });
        open
    }

    /// Is one more ring of `seat` on the stack of `slot` a live placement?
    #[inline(always)]
    fn can_place_on_stack(&self, obstacles: &Obstacles<G>, slot: usize, seat: usize) -> bool {
        let stack = self.stacks.at(slot);
        let cap = if stack.controller() == seat { self.stacks.cap(slot) + 1 } else { 1 };
        self.can_act_from(obstacles, slot, stack.height() + 1, cap)
    }

    /// Has `seat` a legal placement?
    pub(crate) fn has_placement(&self, seat: usize) -> bool {
        let most = MOST_RINGS.min(self.hand[seat] as usize);
        if most == 0 {
            return false;
        }
        let obstacles = self.obstacles();
        let free = G::CELLS & !obstacles.blocked;
        let empty = free & !self.all_markers();
        for_each_direction!(G, direction => {
            if !(G::step(free, direction) & empty).is_empty() {
                return true;
            }
        });
        empty.any(|slot| (1..=most).any(|count| self.can_capture_from(&obstacles, slot, count, count)))
            || obstacles.stacks.any(|slot| self.can_place_on_stack(&obstacles, slot, seat))
    }

    /// May the mover decline to place? A stack of its own can act, or it is recovery-eligible.
    pub(crate) fn may_skip_placement(&self) -> bool {
        self.is_recovery_eligible(self.mover()) || self.has_stack_action(self.mover())
    }

    /// Is `swap_sides` on offer (section 10)?
    pub(crate) fn may_swap(&self) -> bool {
        self.setup.swap() && self.players() == 2 && self.seat == 1 && !self.record.swap_used && !self.record.seat2_moved
    }

    pub(crate) fn place_ring(&mut self, slot: usize, count: usize) {
        let mover = self.mover();
        let stack = self.stacks.at(slot);
        if stack.height() > 0 {
            self.controlled[stack.controller()].remove(slot);
        }
        for _ in 0..count {
            self.stacks.push_top(slot, mover);
        }
        if stack.height() == 0 {
            self.renew_age(slot);
        }
        self.controlled[mover].insert(slot);
        self.hand[mover] -= count as u16;
        self.on_board[mover] += count as u16;
        self.turn.must_move = slot as u16;
        self.turn.real_taken = true;
    }
}
