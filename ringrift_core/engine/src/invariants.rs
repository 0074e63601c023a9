//! The invariants of rules.md section 11, as checks for tests and the fuzzer.

use crate::bits::Bits;
use crate::board::{Geometry, MAX_PLAYERS, NONE};
use crate::moves::{Move, MoveKind, MoveList};
use crate::state::{Phase, Reason, State};

/// Section 11, items 1-3, 8 and 9: what holds in every state. The error names the item.
pub fn check_state<G: Geometry>(state: &State<G>) -> Result<(), String> {
    check_contents(state)?;
    check_rings(state)?;
    let mut list = MoveList::new();
    state.legal_moves(&mut list);
    if list.is_empty() != (state.phase == Phase::GameOver) {
        return Err(format!("item 8: {} legal moves in {}", list.len(), state.phase.name()));
    }
    if state.phase == Phase::RingPlacement && state.is_gone(state.mover()) {
        return Err("item 8: a turn of a seat without rings".into());
    }
    if state.phase == Phase::TerritoryProcessing && state.has_line() {
        return Err("item 9: a line is left after line_processing".into());
    }
    if state.phase == Phase::Movement && state.turn.must_move != NONE {
        let acts = |one: &Move| matches!(one.kind(), MoveKind::MoveStack | MoveKind::OvertakingCapture);
        if !list.iter().all(acts) {
            return Err("item 9: the stack that must move cannot".into());
        }
    }
    let mut codes: Vec<Move> = list.to_vec();
    codes.sort_unstable();
    codes.dedup();
    if codes.len() != list.len() {
        return Err("a move is listed twice".into());
    }
    Ok(())
}

fn check_contents<G: Geometry>(state: &State<G>) -> Result<(), String> {
    let mut taken = !G::CELLS;
    for seat in 0..MAX_PLAYERS {
        for set in [state.controlled[seat], state.markers[seat], state.collapsed[seat]] {
            if !(taken & set).is_empty() {
                return Err("item 1: a cell has two contents or lies off the board".into());
            }
            taken |= set;
        }
        if state.territory[seat] as u32 != state.collapsed[seat].count() {
            return Err(format!("item 1: T of player {} is not its collapsed cells", seat + 1));
        }
    }
    Ok(())
}

fn check_rings<G: Geometry>(state: &State<G>) -> Result<(), String> {
    let mut on_board = [0; MAX_PLAYERS];
    for seat in 0..MAX_PLAYERS {
        let mut wrong = false;
        state.controlled[seat].for_each(|slot| {
            let rings: Vec<usize> = state.stacks.rings(slot).collect();
            let cap = rings.iter().rev().take_while(|ring| **ring == seat).count();
            wrong |= rings.is_empty() || rings.len() != state.stacks.at(slot).height();
            wrong |= cap == 0 || cap != state.stacks.cap(slot);
            for ring in rings {
                on_board[ring] += 1;
            }
        });
        if wrong {
            return Err(format!("item 2: height, cap or controller of a stack of player {}", seat + 1));
        }
    }
    if on_board != state.on_board {
        return Err("item 3: the rings on the board are miscounted".into());
    }
    let everything = G::BOARD.rings_per_player() * state.players() as u32;
    let sum = |numbers: [u16; MAX_PLAYERS]| numbers.iter().map(|number| *number as u32).sum::<u32>();
    if sum(state.hand) + sum(on_board) + sum(state.credited) != everything {
        return Err("item 3: rings are not conserved".into());
    }
    let too_many = |seat: usize| state.hand[seat] as u32 + on_board[seat] as u32 > G::BOARD.rings_per_player();
    if (0..MAX_PLAYERS).any(too_many) {
        return Err("item 3: a colour has more rings than it started with".into());
    }
    Ok(())
}

/// Section 11, items 3-5: what holds across one move.
pub fn check_step<G: Geometry>(before: &State<G>, one: Move, after: &State<G>) -> Result<(), String> {
    for seat in 0..before.players() {
        if (before.collapsed[seat] & after.collapsed[seat]) != before.collapsed[seat] {
            return Err("item 4: a collapsed cell changed".into());
        }
        if after.credited[seat] < before.credited[seat] {
            return Err("item 4: E fell".into());
        }
        let rings = |state: &State<G>| state.hand[seat] + state.on_board[seat];
        if rings(after) > rings(before) {
            return Err("item 3: the rings of a colour grew".into());
        }
    }
    let removed = sum(after.credited) - sum(before.credited);
    let converted = match after.outcome() {
        Some(outcome) if outcome.reason == Reason::Stalemate => sum(before.hand) - sum(after.hand),
        _ => 0,
    };
    let paid = removed - converted;
    let grown = s_of(after) - s_of(before) - converted;
    let expected = match one.kind() {
        MoveKind::MoveStack | MoveKind::OvertakingCapture | MoveKind::ContinueCaptureSegment => Some(1),
        MoveKind::EliminateForLine | MoveKind::RecoveryLine | MoveKind::RecoveryFallback | MoveKind::RecoveryStrike => {
            Some(1)
        }
        MoveKind::EliminateForTerritory | MoveKind::EliminateForRecovery | MoveKind::ForcedElimination => {
            (paid >= 1).then_some(paid)
        }
        MoveKind::ChooseTerritoryOption => {
            let region = before.region_of(State::<G>::slot_of(one.a()), one.b());
            Some(paid + (region & !before.all_markers()).count() as i64)
        }
        _ => Some(0),
    };
    if expected != Some(grown) {
        return Err(format!("item 5: S grew by {grown} in {one:?}, {paid} rings removed"));
    }
    Ok(())
}

fn sum(numbers: [u16; MAX_PLAYERS]) -> i64 {
    numbers.iter().map(|number| *number as i64).sum()
}

/// S: markers, collapsed cells and eliminated rings.
fn s_of<G: Geometry>(state: &State<G>) -> i64 {
    (state.all_markers() | state.all_collapsed()).count() as i64 + sum(state.credited)
}
