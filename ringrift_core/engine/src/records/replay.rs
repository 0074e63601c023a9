//! Replaying recorded moves: each is checked against the legal list.

use crate::board::Geometry;
use crate::error::Error;
use crate::moves::{Move, MoveKind, MoveList};
use crate::setup::Setup;
use crate::state::State;

/// What a replay found.
pub struct Replayed<G: Geometry> {
    /// The state after the last move.
    pub state: State<G>,
    pub decisions: u32,
    pub swapped: bool,
}

/// The moves before a game's decision of this number, counted from 0; an error when it has none.
pub fn before_decision<G: Geometry>(setup: Setup, moves: &[Move], decision: usize) -> Result<&[Move], Error> {
    let mut state = State::<G>::new(setup);
    let (mut list, mut decisions) = (MoveList::new(), 0);
    for (index, one) in moves.iter().enumerate() {
        state.legal_moves(&mut list);
        if list.len() > 1 {
            if decisions == decision {
                return Ok(&moves[..index]);
            }
            decisions += 1;
        }
        state.play(*one).map_err(|error| error.inside(&format!("move {index}")))?;
    }
    Err(Error::new("decision", format!("{decision}: the game has {decisions}")))
}

/// Plays the moves from the start. Before each decision `visit` sees its number, the state and the move.
pub fn replay<G: Geometry>(
    setup: Setup,
    moves: &[Move],
    mut visit: impl FnMut(usize, &State<G>, Move),
) -> Result<Replayed<G>, Error> {
    let mut state = State::<G>::new(setup);
    let mut list = MoveList::new();
    let (mut decisions, mut swapped) = (0, false);
    for (index, one) in moves.iter().enumerate() {
        state.legal_moves(&mut list);
        if !list.contains(one) {
            let (seat, phase) = (state.mover() + 1, state.phase.name());
            let found = format!("{one:?} is not legal for seat {seat} in {phase}");
            return Err(Error::new(format!("move {index}"), found));
        }
        if list.len() > 1 {
            visit(decisions as usize, &state, *one);
            decisions += 1;
        }
        swapped |= one.kind() == MoveKind::SwapSides;
        state.apply(*one);
    }
    Ok(Replayed { state, decisions, swapped })
}
