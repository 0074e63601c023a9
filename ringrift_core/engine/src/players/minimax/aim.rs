//! Whom a decision serves.

use crate::board::Geometry;
use crate::moves::{Move, MoveKind};
use crate::players::values::{Values, WON};
use crate::state::{Phase, State};

/// What the seat to move makes of the values of a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Aim {
    /// Every seat wants its own value (max^n).
    Own,
    /// `hero` wants its own value, and all others want it low: two players, paranoid and best-reply search.
    Hero {
        hero: usize,
        /// In best-reply search: has an opponent had its turn since the hero's last one? None elsewhere.
        replied: Option<bool>,
    },
}

impl Aim {
    /// What the values are worth to the seat to move; it takes the highest.
    #[inline(always)]
    pub fn worth(self, values: &Values, mover: usize) -> f32 {
        match self {
            Aim::Own => values[mover],
            Aim::Hero { hero, .. } if hero == mover => values[hero],
            Aim::Hero { hero, .. } => -values[hero],
        }
    }

    /// The hero's window as bounds of the mover's worth: it looks for more than the first and stops at the second. Nothing
    /// is worth more than a win.
    #[inline(always)]
    pub fn window(self, mover: usize, alpha: f32, beta: f32) -> (f32, f32) {
        match self {
            Aim::Own => (f32::NEG_INFINITY, WON),
            Aim::Hero { hero, .. } if hero == mover => (alpha, beta.min(WON)),
            Aim::Hero { .. } => (-beta, (-alpha).min(WON)),
        }
    }

    /// The window of the hero's values in which the mover's worth lies between `low` and `high`.
    #[inline(always)]
    pub fn hero_window(self, mover: usize, low: f32, high: f32) -> (f32, f32) {
        match self {
            Aim::Hero { hero, .. } if hero != mover => (-high, -low),
            _ => (low, high),
        }
    }

    /// The aim below a move: the hero's agent may sit elsewhere, and an opponent may have had its turn.
    #[inline(always)]
    pub fn below<G: Geometry>(self, state: &State<G>, one: Move) -> Aim {
        match self {
            Aim::Own => Aim::Own,
            Aim::Hero { hero, replied } => {
                let swapped = one.kind() == MoveKind::SwapSides;
                Aim::Hero {
                    hero: if swapped && hero < 2 { 1 - hero } else { hero },
                    replied: replied.map(|_| state.mover() != hero),
                }
            }
        }
    }

    /// Part of a position's key: the same position is worth something else to another hero.
    pub fn key(self) -> u64 {
        let number = match self {
            Aim::Own => 0,
            Aim::Hero { hero, replied } => 1 + hero as u64 * 3 + replied.map_or(0, |replied| 1 + replied as u64),
        };
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// Must the mover pass, another opponent having replied? Nobody passes once the hero has left the game.
    pub fn passes<G: Geometry>(self, state: &State<G>) -> bool {
        match self {
            Aim::Hero { hero, replied: Some(true) } => {
                state.phase == Phase::RingPlacement && state.mover() != hero && !state.is_gone(hero)
            }
            _ => false,
        }
    }

    /// May the mover leave the reply to an opponent whose turn comes before the hero's?
    pub fn may_pass<G: Geometry>(self, state: &State<G>) -> bool {
        match self {
            Aim::Hero { hero, replied: Some(false) } => {
                let others_first = |next: usize| next != hero && next != state.mover();
                state.phase == Phase::RingPlacement
                    && state.mover() != hero
                    && !state.is_gone(hero)
                    && state.next_in_rotation().is_some_and(others_first)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8, Square8};
    use crate::moves::MoveList;
    use crate::rng::{stream, Purpose};
    use crate::setup::{Profile, Setup};

    fn setup(players: usize) -> Setup {
        Setup::new(Board::Hex8, players, Profile::Canonical).expect("playable")
    }

    #[test]
    fn the_hero_sits_where_its_agent_does_after_a_swap() {
        let mut state =
            State::<Square8>::new(Setup::new(Board::Square8, 2, Profile::Canonical).expect("playable").with_swap(true));
        let mut list = MoveList::new();
        let swap = loop {
            state.legal_moves(&mut list);
            match list.iter().find(|one| one.kind() == MoveKind::SwapSides) {
                Some(swap) => break *swap,
                None => state.apply(list[0]),
            }
        };
        let other = list.iter().find(|one| one.kind() != MoveKind::SwapSides).expect("swapping is a choice");
        for hero in [0, 1] {
            let aim = Aim::Hero { hero, replied: None };
            assert_eq!(aim.below(&state, swap), Aim::Hero { hero: 1 - hero, replied: None });
            assert_eq!(aim.below(&state, *other), aim);
        }
        assert_eq!(Aim::Own.below(&state, swap), Aim::Own);
    }

    /// Random games in which the opponents of one seat pass as best-reply search has it: between two turns of the hero one
    /// opponent decides, no more and no less, and once the hero has left nobody passes.
    #[test]
    fn between_two_turns_of_the_hero_one_opponent_has_a_turn() {
        let (mut rounds, mut left) = (0, 0);
        for game in 0..300 {
            let players = 3 + (game % 2) as usize;
            let mut random = stream(7, Purpose::Playout, game);
            let hero = random.below(players);
            let mut state = State::<Hex8>::new(setup(players));
            let mut list = MoveList::new();
            // Up to the hero's first turn all play.
            while state.mover() != hero {
                state.legal_moves(&mut list);
                state.apply(list[random.below(list.len())]);
            }
            let mut aim = Aim::Hero { hero, replied: Some(false) };
            let mut replied: Vec<usize> = Vec::new();
            let mut own_turn = state.turn.number;
            while state.outcome().is_none() {
                if state.is_gone(hero) {
                    assert!(!aim.passes(&state) && !aim.may_pass(&state));
                    assert!(!(Aim::Hero { hero, replied: Some(false) }).may_pass(&state));
                    assert!(!(Aim::Hero { hero, replied: Some(true) }).passes(&state));
                    left += 1;
                    break;
                }
                let mover = state.mover();
                if mover == hero {
                    if state.turn.number != own_turn {
                        assert_eq!(replied.len(), 1, "game {game}: {replied:?} replied to {hero}");
                        (own_turn, rounds) = (state.turn.number, rounds + 1);
                        replied.clear();
                    }
                } else if aim.passes(&state) {
                    state.pass_turn();
                    continue;
                } else if !replied.contains(&mover) {
                    replied.push(mover);
                }
                state.legal_moves(&mut list);
                if aim.may_pass(&state) && random.below(2) == 0 {
                    replied.retain(|seat| *seat != mover);
                    state.pass_turn();
                    continue;
                }
                let one = list[random.below(list.len())];
                aim = aim.below(&state, one);
                state.apply(one);
            }
        }
        assert!(rounds > 2_000 && left > 5, "{rounds} rounds, {left} games that the hero left");
    }
}
