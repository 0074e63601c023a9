//! A finished game, and its identity.

use sha2::{Digest, Sha256};

use crate::board::MAX_PLAYERS;
use crate::moves::Move;
use crate::records::searched::Searched;
use crate::setup::Setup;
use crate::state::Reason;

/// One finished (or cut) game.
#[derive(Clone, Debug)]
pub struct GameRecord {
    /// Number of the game in its run.
    pub index: u64,
    pub game_id: String,
    /// Agent that started at each seat.
    pub agents: [usize; MAX_PLAYERS],
    /// Every recorded move, bookkeeping included.
    pub moves: Vec<Move>,
    /// Winning seat; None when the game was cut.
    pub winner: Option<usize>,
    pub ranks: [u8; MAX_PLAYERS],
    /// None when the game was cut.
    pub reason: Option<Reason>,
    /// Did the agents of seats 1 and 2 change places?
    pub swapped: bool,
    pub turns: u32,
    /// Moves chosen among more than one.
    pub decisions: u32,
    /// What searches found, in the order of decisions; those played without one are left out.
    pub searches: Vec<Searched>,
}

impl GameRecord {
    /// The seat at which the winning agent started.
    pub fn winning_agent(&self) -> Option<usize> {
        self.winner.map(|seat| starting_seat(seat, self.swapped))
    }
}

/// Where the agent started that sits at `seat` at the end.
pub fn starting_seat(seat: usize, swapped: bool) -> usize {
    if swapped && seat < 2 {
        1 - seat
    } else {
        seat
    }
}

/// SHA-256 (hex) over the setup and the packed moves from the start of the game; seed and players are no part of it, so the same
/// game played twice has one id.
pub fn game_id(setup: &Setup, moves: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!(
        "ringrift game 2\nprofile={}\nboard={}\nplayers={}\nswap={}\nstart=initial\n",
        setup.profile().name(),
        setup.board().name(),
        setup.players(),
        setup.swap()
    ));
    hash.update(moves);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
