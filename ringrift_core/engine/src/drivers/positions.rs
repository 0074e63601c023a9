//! The positions of a recorded game as a network learns from them: inputs, and whose agent won in the end.

use crate::board::Geometry;
use crate::drivers::encoding::{encode, Shape};
use crate::drivers::record::starting_seat;
use crate::drivers::replay::replay;
use crate::error::Error;
use crate::moves::{Move, MoveKind};
use crate::setup::Setup;
use crate::state::State;

/// Positions as flat arrays, one row each.
pub struct Encoded {
    pub shape: Shape,
    pub planes: Vec<f32>,
    pub globals: Vec<f32>,
    /// `[rows, players]`, column 0 the seat to move: 1 for the winner, or equal shares when nobody won.
    pub targets: Vec<f32>,
    /// Seat to move, from 1.
    pub seats: Vec<i64>,
    /// Do the agents of seats 1 and 2 still change places after the position?
    before_swap: Vec<bool>,
}

impl Encoded {
    fn zeroed(shape: Shape, rows: usize) -> Encoded {
        Encoded {
            shape,
            planes: vec![0.0; rows * shape.plane_len()],
            globals: vec![0.0; rows * shape.globals],
            targets: Vec::new(),
            seats: vec![0; rows],
            before_swap: vec![false; rows],
        }
    }

    /// Adds a zeroed row and returns its number.
    fn grow(&mut self) -> usize {
        let row = self.seats.len();
        self.planes.resize((row + 1) * self.shape.plane_len(), 0.0);
        self.globals.resize((row + 1) * self.shape.globals, 0.0);
        self.seats.push(0);
        self.before_swap.push(false);
        row
    }

    fn write<G: Geometry>(&mut self, row: usize, state: &State<G>, before_swap: bool) {
        let (plane_len, globals) = (self.shape.plane_len(), self.shape.globals);
        let planes = &mut self.planes[row * plane_len..][..plane_len];
        encode(state, planes, &mut self.globals[row * globals..][..globals]);
        self.seats[row] = state.to_move() as i64 + 1;
        self.before_swap[row] = before_swap;
    }

    /// Targets follow agents: before a swap the winner is the seat at which the winning agent then sat.
    fn set_targets(&mut self, winner: Option<usize>, players: usize) {
        for (seat, before_swap) in self.seats.iter().zip(&self.before_swap) {
            for offset in 0..players {
                let seat = (*seat as usize - 1 + offset) % players;
                self.targets.push(match winner {
                    Some(winner) => (starting_seat(winner, *before_swap) == seat) as u8 as f32,
                    None => 1.0 / players as f32,
                });
            }
        }
    }
}

/// The positions before the chosen decisions, in the order chosen; None takes every decision.
pub fn encode_game<G: Geometry>(setup: Setup, moves: &[Move], decisions: Option<&[usize]>) -> Result<Encoded, Error> {
    let chosen = decisions.unwrap_or_default();
    let mut rows_of: Vec<Vec<usize>> = vec![Vec::new(); moves.len()];
    for (row, decision) in chosen.iter().enumerate() {
        let Some(rows) = rows_of.get_mut(*decision) else {
            return Err(Error::new("decisions", format!("{decision}, but the game has {} moves", moves.len())));
        };
        rows.push(row);
    }
    let mut encoded = Encoded::zeroed(Shape::of(setup.board(), setup.players()), chosen.len());
    let mut before_swap = moves.iter().any(|one| one.kind() == MoveKind::SwapSides);
    let replayed = replay::<G>(setup, moves, |decision, state, one| {
        if decisions.is_none() {
            let row = encoded.grow();
            encoded.write(row, state, before_swap);
        }
        for row in &rows_of[decision] {
            encoded.write(*row, state, before_swap);
        }
        before_swap &= one.kind() != MoveKind::SwapSides;
    })?;
    let made = replayed.decisions as usize;
    if let Some(missing) = chosen.iter().find(|decision| **decision >= made) {
        return Err(Error::new("decisions", format!("{missing}, but the game has {made} decisions")));
    }
    encoded.set_targets(replayed.state.outcome().map(|outcome| outcome.winner), setup.players());
    Ok(encoded)
}
