//! Is a recorded game what its record says? It is played again, every move checked against the legal list.

use std::fmt::Display;

use crate::board::Geometry;
use crate::error::Error;
use crate::moves::{Move, MoveList};
use crate::players::values::Values;
use crate::records::game::game_id;
use crate::records::packed;
use crate::records::replay::replay;
use crate::records::searched::{self, share_of_others, Searched};
use crate::setup::Setup;
use crate::state::{Outcome, State};

/// Sums of shares and of win probabilities may differ from 1 by this much: they are stored as f16.
const SUM_TOLERANCE: f32 = 0.02;
/// The reason of a game that the move limit cut.
const CUT: &str = "max_moves";

/// What the record of a game says, as stored: its numbers are any that a file can hold.
pub struct Claim<'a> {
    pub id: &'a [u8],
    /// JSON list of names.
    pub seats: &'a str,
    /// Winning seat from 1.
    pub winner: Option<i64>,
    /// JSON list by seat.
    pub ranks: Option<&'a str>,
    pub reason: &'a str,
    pub swapped: i64,
    pub turns: i64,
    pub recorded_moves: i64,
    pub decisions: i64,
    /// Packed.
    pub moves: &'a [u8],
    /// In the form of `searched`.
    pub searches: &'a [u8],
}

/// The first thing in which the record and the game differ.
pub fn verify<G: Geometry>(setup: Setup, claim: &Claim<'_>) -> Result<(), Error> {
    let found = game_id(&setup, claim.moves);
    same("id", hexadecimal(claim.id), &found)?;
    match serde_json::from_str::<Vec<String>>(claim.seats) {
        Ok(seats) if seats.len() == setup.players() => {}
        _ => return Err(Error::new("seats", format!("{}: expected {} names", claim.seats, setup.players()))),
    }
    let moves = packed::from_bytes(claim.moves)?;
    let searches = searched::from_bytes(claim.searches, setup.players())?;
    let mut checked = Searches { left: &searches, fault: None };
    let replayed = replay::<G>(setup, &moves, |decision, state, _| checked.check(decision, state))?;
    checked.finish()?;
    same("recorded_moves", claim.recorded_moves, &(moves.len() as i64))?;
    same("decisions", claim.decisions, &(replayed.decisions as i64))?;
    same("swapped", claim.swapped, &(replayed.swapped as i64))?;
    let turn = replayed.state.turn_number() as i64;
    match replayed.state.outcome() {
        Some(outcome) => {
            same("turns", claim.turns, &turn)?;
            same_outcome(claim, &outcome, setup.players())
        }
        None => {
            // A game is cut where the next turn would begin.
            same("turns", claim.turns, &(turn - 1))?;
            same("reason", claim.reason, &CUT)?;
            same_or_none("winner", claim.winner, None, "nobody")?;
            same_or_none("ranks", claim.ranks, None, "none")
        }
    }
}

fn same_outcome(claim: &Claim<'_>, outcome: &Outcome, players: usize) -> Result<(), Error> {
    same("reason", claim.reason, &outcome.reason.name())?;
    same_or_none("winner", claim.winner, Some(outcome.winner as i64 + 1), "nobody")?;
    let ranks: Vec<String> = outcome.ranks[..players].iter().map(u8::to_string).collect();
    let ranks = format!("[{}]", ranks.join(","));
    same_or_none("ranks", claim.ranks, Some(ranks.as_str()), "none")
}

fn same<T: PartialEq + Display>(field: &str, said: T, found: &T) -> Result<(), Error> {
    if said == *found {
        Ok(())
    } else {
        Err(Error::new(field, format!("{said}, but the moves make {found}")))
    }
}

/// As `same`, for what a cut game has not; `none` is the word for that.
fn same_or_none<T: PartialEq + Display>(
    field: &str,
    said: Option<T>,
    found: Option<T>,
    none: &str,
) -> Result<(), Error> {
    if said == found {
        return Ok(());
    }
    let words = |one: Option<T>| one.map_or(none.to_string(), |one| one.to_string());
    Err(Error::new(field, format!("{}, but the moves make {}", words(said), words(found))))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The searches that are still to be met, in the order of their decisions.
struct Searches<'a> {
    left: &'a [Searched],
    fault: Option<Error>,
}

impl Searches<'_> {
    fn check<G: Geometry>(&mut self, decision: usize, state: &State<G>) {
        let Some((first, rest)) = self.left.split_first() else { return };
        if first.decision as usize != decision || self.fault.is_some() {
            return;
        }
        self.left = rest;
        self.fault = check_search(first, state).err();
    }

    fn finish(self) -> Result<(), Error> {
        match (self.fault, self.left.first()) {
            (Some(fault), _) => Err(fault),
            (None, Some(search)) => Err(Error::new(
                "searches",
                format!("one of decision {}, which the game has not, or not after those before it", search.decision),
            )),
            (None, None) => Ok(()),
        }
    }
}

fn check_search<G: Geometry>(search: &Searched, state: &State<G>) -> Result<(), Error> {
    let place = || format!("searches, decision {}", search.decision);
    let mut legal = MoveList::new();
    state.legal_moves(&mut legal);
    let mut seen: Vec<Move> = Vec::with_capacity(search.policy.len());
    for (one, _) in &search.policy {
        if !legal.contains(one) || seen.contains(one) {
            return Err(Error::new(
                place(),
                format!("{} is not legal there, or stands there twice", state.describe(*one)),
            ));
        }
        seen.push(*one);
    }
    let listed: f32 = search.policy.iter().map(|(_, share)| share).sum();
    if !search.policy.is_empty() {
        let others = (legal.len() - search.policy.len()) as f32 * share_of_others(&search.policy, legal.len());
        sums_to_one("shares", listed + others).map_err(|reason| Error::new(place(), reason))?;
    }
    probabilities(&search.values).map_err(|reason| Error::new(place(), reason))?;
    for inner in &search.inner {
        let mut below = *state;
        for one in &inner.moves {
            below.legal_moves(&mut legal);
            if !legal.contains(one) {
                let one = below.describe(*one);
                return Err(Error::new(place(), format!("{one} on the way to a position of its tree is not legal")));
            }
            below.apply(*one);
        }
        probabilities(&inner.values).map_err(|reason| Error::new(place(), reason))?;
    }
    Ok(())
}

fn probabilities(values: &Values) -> Result<(), String> {
    sums_to_one("win probabilities", values.iter().sum())
}

fn sums_to_one(name: &str, sum: f32) -> Result<(), String> {
    if (sum - 1.0).abs() <= SUM_TOLERANCE {
        Ok(())
    } else {
        Err(format!("the {name} sum to {sum}, not 1"))
    }
}
