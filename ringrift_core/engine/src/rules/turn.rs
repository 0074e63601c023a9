//! The turn as a phase machine (section 3): playing a move and what follows from it.

use crate::bits::Bits;
use crate::board::{Geometry, NONE};
use crate::error::Error;
use crate::moves::{Move, MoveKind, MoveList};
use crate::state::{Phase, RegionDebt, State, Turn};

impl<G: Geometry> State<G> {
    /// Plays a move if it is legal. An error leaves the state as it was.
    pub fn play(&mut self, one: Move) -> Result<(), Error> {
        let mut list = MoveList::new();
        self.legal_moves(&mut list);
        if !list.contains(&one) {
            let place = format!("move {}", self.describe(one));
            let reason = match self.phase {
                Phase::GameOver => "not legal: the game is over".to_string(),
                phase => {
                    format!("not legal for seat {} in {} ({} legal moves)", self.seat + 1, phase.name(), list.len())
                }
            };
            return Err(Error::new(place, reason));
        }
        self.apply(one);
        Ok(())
    }

    /// Plays a move taken from this state's legal list. Any other move may panic or leave an impossible state: use
    /// `play` for moves from outside.
    #[inline]
    pub fn apply(&mut self, one: Move) {
        let kind = one.kind();
        if self.setup.deployed() {
            self.record.last_entry = self.seat;
        }
        if kind == MoveKind::SwapSides {
            self.record.swap_used = true;
            return;
        }
        if kind.is_turn_action() {
            self.turn.changed = true;
            self.remember_action();
        }
        if self.seat == 1 {
            self.record.seat2_moved = true;
        }
        match kind {
            MoveKind::PlaceRing => {
                self.place_ring(Self::slot_of(one.a()), one.b());
                self.phase = Phase::Movement;
            }
            MoveKind::SkipPlacement | MoveKind::NoPlacementAction => self.phase = Phase::Movement,
            MoveKind::MoveStack => {
                let to = Self::slot_of(one.b());
                self.move_stack(Self::slot_of(one.a()), to);
                self.after_landing(to, Phase::Capture);
            }
            MoveKind::OvertakingCapture | MoveKind::ContinueCaptureSegment => {
                let landing = Self::slot_of(one.b());
                self.capture(Self::slot_of(one.a()), Self::slot_of(one.c()), landing);
                self.after_landing(landing, Phase::ChainCapture);
            }
            MoveKind::RecoveryLine
            | MoveKind::RecoverySegment
            | MoveKind::RecoveryFallback
            | MoveKind::RecoveryStrike => {
                self.recover(one);
                self.enter_lines();
            }
            MoveKind::SkipCapture | MoveKind::NoMovementAction | MoveKind::SkipRecovery => self.enter_lines(),
            MoveKind::ProcessLine | MoveKind::ChooseWholeLine => {
                self.collapse_line(Self::slot_of(one.a()), one.b());
                self.after_line();
            }
            MoveKind::ChooseLineSegment => {
                self.collapse_segment(Self::slot_of(one.a()), one.b());
                self.after_line();
            }
            MoveKind::EliminateForLine => {
                self.eliminate_top(Self::slot_of(one.a()));
                self.turn.line_debt = false;
                // Profile deployed, item 2: after a payment the phase is left by a recorded no_line_action only.
                if !self.setup.deployed() {
                    self.after_line();
                }
            }
            MoveKind::NoLineAction => self.leave_lines(),
            MoveKind::ChooseTerritoryOption => self.claim_region(Self::slot_of(one.a()), one.b()),
            MoveKind::EliminateForTerritory => {
                self.eliminate_cap(Self::slot_of(one.a()));
                self.after_region();
            }
            MoveKind::EliminateForRecovery => {
                self.extract_lowest(Self::slot_of(one.a()));
                self.after_region();
            }
            MoveKind::SkipTerritoryProcessing | MoveKind::NoTerritoryAction => self.leave_territory(),
            MoveKind::ForcedElimination => {
                self.eliminate_cap(Self::slot_of(one.a()));
                self.end_turn();
            }
            MoveKind::SwapSides => {}
        }
    }

    /// After a plain move (`next` = capture) or a capture segment (`next` = chain_capture).
    #[inline(always)]
    fn after_landing(&mut self, landing: usize, next: Phase) {
        self.turn.real_taken = true;
        if !self.can_go_on_capturing(landing) {
            self.enter_lines();
            return;
        }
        self.phase = next;
        let landing = landing as u16;
        if self.turn.must_move != NONE {
            self.turn.must_move = landing;
        }
        (self.turn.capture_from, self.turn.chain_from) =
            if next == Phase::Capture { (landing, NONE) } else { (NONE, landing) };
    }

    #[inline(always)]
    fn enter_lines(&mut self) {
        self.turn.must_move = NONE;
        self.turn.capture_from = NONE;
        self.turn.chain_from = NONE;
        self.phase = Phase::LineProcessing;
    }

    /// A line or its payment is done: on to the territory once nothing is owed and no line is left (note D3).
    fn after_line(&mut self) {
        if !self.turn.line_debt && !self.has_line() {
            self.leave_lines();
        }
    }

    fn leave_lines(&mut self) {
        self.phase = Phase::TerritoryProcessing;
        // Profile deployed, item 3: an idle turn without a claimable region does not visit the phase.
        if self.setup.deployed() && self.must_eliminate() && !self.any_claimable(|_, _| true) {
            self.phase = Phase::ForcedElimination;
        }
    }

    /// A region is paid: leave once no other is claimable.
    fn after_region(&mut self) {
        self.turn.region_debt = RegionDebt::None;
        if !self.any_claimable(|_, _| true) {
            self.leave_territory();
        }
    }

    /// Nothing changed this turn and the mover controls a stack (section 7).
    fn must_eliminate(&self) -> bool {
        !self.turn.changed && !self.controlled[self.mover()].is_empty()
    }

    fn leave_territory(&mut self) {
        if self.must_eliminate() {
            self.phase = Phase::ForcedElimination;
        } else {
            self.end_turn();
        }
    }

    /// Victory tests, then the next seat in rotation.
    fn end_turn(&mut self) {
        for seat in 0..self.players() {
            if self.record.gone_at[seat] == u32::MAX && self.is_gone(seat) {
                self.record.gone_at[seat] = self.turn.number;
            }
        }
        if self.finish_if_won() {
            return;
        }
        if let Some(next) = self.next_in_rotation() {
            self.start_turn(next);
        }
    }

    /// Ends the mover's turn without an action. No rule of the game: best-reply search lets opponents pass.
    pub(crate) fn pass_turn(&mut self) {
        self.end_turn();
    }

    /// The next seat after the mover that is not permanently eliminated; the mover itself comes last.
    pub(crate) fn next_in_rotation(&self) -> Option<usize> {
        let players = self.players();
        (1..=players).map(|step| (self.mover() + step) % players).find(|seat| !self.is_gone(*seat))
    }

    fn start_turn(&mut self, next: usize) {
        // Profile deployed, item 5: two turns in a row of one seat share these two flags.
        let keep = self.setup.deployed() && next == self.mover();
        let (changed, recovered) = (self.turn.changed && keep, self.turn.recovered && keep);
        self.turn = Turn { changed, recovered, ..Turn::start(self.turn.number.saturating_add(1)) };
        self.seat = next as u8;
        self.phase = Phase::RingPlacement;
        self.turn.real_available = self.has_real_action(next);
        if self.setup.deployed() {
            self.open_deployed_turn();
        }
    }

    /// Has the seat a real action: a legal placement, plain move or capture (section 9.3)?
    pub(crate) fn has_real_action(&self, seat: usize) -> bool {
        self.has_placement(seat) || self.has_stack_action(seat)
    }

    /// Makes the mover the newest in the order of turn actions.
    #[inline(always)]
    fn remember_action(&mut self) {
        let len = self.record.recent_len as usize;
        if len > 0 && self.record.recent[len - 1] == self.seat {
            return;
        }
        let seat = self.seat;
        let known = self.record.recent[..len].iter().position(|other| *other == seat);
        match known {
            Some(index) => self.record.recent[index..len].rotate_left(1),
            None => {
                self.record.recent[len] = seat;
                self.record.recent_len += 1;
            }
        }
    }
}
