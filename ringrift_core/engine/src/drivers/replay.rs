//! Replaying stored moves: each is checked against the legal list.

use crate::board::Geometry;
use crate::drivers::record::MOVE_BYTES;
use crate::error::Error;
use crate::moves::{Move, MoveKind, MoveList};
use crate::setup::Setup;
use crate::state::State;

/// Moves from their stored form.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Move>, Error> {
    if bytes.len() % MOVE_BYTES != 0 {
        let found = format!("{} bytes: expected a multiple of {MOVE_BYTES}", bytes.len());
        return Err(Error::new("moves", found));
    }
    let code = |chunk: &[u8]| u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
    let decode = |(index, chunk): (usize, &[u8])| {
        let code = code(chunk);
        Move::from_code(code)
            .ok_or_else(|| Error::new(format!("move {index}"), format!("{code:#010x} is no move code")))
    };
    bytes.chunks_exact(MOVE_BYTES).enumerate().map(decode).collect()
}

/// What a replay found.
pub struct Replayed<G: Geometry> {
    /// The state after the last move.
    pub state: State<G>,
    pub decisions: u32,
    pub swapped: bool,
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
