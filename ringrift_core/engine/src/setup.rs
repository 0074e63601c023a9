//! What a game is played with: board, players, profile, pie rule.

use crate::board::Board;
use crate::error::Error;

/// Which reading of the rules: rules.md, or the deployed engines' deviations of rules-deployed-profile.md.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Profile {
    #[default]
    Canonical,
    Deployed,
}

impl Profile {
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Canonical => "canonical",
            Profile::Deployed => "deployed",
        }
    }

    pub fn from_name(name: &str) -> Option<Profile> {
        [Profile::Canonical, Profile::Deployed].into_iter().find(|profile| profile.name() == name)
    }
}

/// The setup of a game. `new` is the only way to make one, so a `Setup` is always playable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Setup {
    board: Board,
    players: u8,
    profile: Profile,
    swap: bool,
}

impl Setup {
    /// A setup without pie rule; 2 to 4 players.
    pub fn new(board: Board, players: usize, profile: Profile) -> Result<Setup, Error> {
        if !(2..=4).contains(&players) {
            return Err(Error::new("players", format!("{players}: a game has 2, 3 or 4 players")));
        }
        Ok(Setup { board, players: players as u8, profile, swap: false })
    }

    /// The same with the pie rule on or off (section 10). It is offered in two-player games only.
    pub fn with_swap(self, swap: bool) -> Setup {
        Setup { swap, ..self }
    }

    pub fn board(&self) -> Board {
        self.board
    }

    #[inline(always)]
    pub fn players(&self) -> usize {
        self.players as usize
    }

    #[inline(always)]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    pub fn swap(&self) -> bool {
        self.swap
    }

    #[inline(always)]
    pub(crate) fn deployed(&self) -> bool {
        self.profile == Profile::Deployed
    }
}
