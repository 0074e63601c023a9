//! What searches found at the decisions of a game, and the form in which it is stored.
//!
//! Stored, little-endian, one entry after the other: the decision's number (u32), one value a seat (f16), the number of
//! moves (u16), and for each its code (u32) and share (f16). Where positions of the tree are told as well, the number of
//! moves has its highest bit set, and after the moves come: the number of positions (u16), and for each the number of moves
//! from the decision to it (u16), their codes (u32 each) and one value a seat (f16).

use half::f16;

use crate::board::MAX_PLAYERS;
use crate::error::Error;
use crate::moves::Move;
use crate::players::heuristic::Values;
use crate::players::{Found, Inner};

/// Moves whose share is smaller than this part of the best one's are not stored. Measured by the best, so that a flat
/// policy over a thousand placements is kept as well as a sharp one.
const LEAST_PART: f32 = 1.0 / 32.0;
/// Set in the number of moves: positions of the tree follow.
const WITH_INNER: u16 = 1 << 15;

/// What a search found at one decision.
#[derive(Clone, PartialEq, Debug)]
pub struct Searched {
    /// Number of the decision in its game, from 0.
    pub decision: u32,
    /// Win probability of the agent at each seat, as seated before the decision.
    pub values: Values,
    /// Moves and their shares; they sum to about 1.
    pub policy: Vec<(Move, f32)>,
    /// Positions of the tree and their values, where the player tells them.
    pub inner: Vec<Inner>,
}

impl Searched {
    /// Keeps the moves whose share is worth storing, scaled to sum to 1.
    pub fn of(decision: u32, legal: &[Move], found: Found) -> Searched {
        let least = LEAST_PART * found.policy.iter().copied().fold(0.0, f32::max);
        let shares = legal.iter().copied().zip(found.policy);
        let mut policy: Vec<(Move, f32)> = shares.filter(|(_, share)| *share >= least).collect();
        let total: f32 = policy.iter().map(|(_, share)| share).sum();
        policy.iter_mut().for_each(|(_, share)| *share /= total);
        Searched { decision, values: found.values, policy, inner: found.inner }
    }
}

/// The stored form of the searches of a game of `players`.
pub fn to_bytes(searches: &[Searched], players: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for searched in searches {
        bytes.extend(searched.decision.to_le_bytes());
        write_values(&searched.values[..players], &mut bytes);
        let flag = if searched.inner.is_empty() { 0 } else { WITH_INNER };
        bytes.extend((searched.policy.len() as u16 | flag).to_le_bytes());
        for (one, share) in &searched.policy {
            bytes.extend(one.code().to_le_bytes());
            bytes.extend(f16::from_f32(*share).to_le_bytes());
        }
        if !searched.inner.is_empty() {
            bytes.extend((searched.inner.len() as u16).to_le_bytes());
        }
        for inner in &searched.inner {
            bytes.extend((inner.moves.len() as u16).to_le_bytes());
            inner.moves.iter().for_each(|one| bytes.extend(one.code().to_le_bytes()));
            write_values(&inner.values[..players], &mut bytes);
        }
    }
    bytes
}

fn write_values(values: &[f32], bytes: &mut Vec<u8>) {
    values.iter().for_each(|value| bytes.extend(f16::from_f32(*value).to_le_bytes()));
}

/// Reads the stored form.
pub fn from_bytes(bytes: &[u8], players: usize) -> Result<Vec<Searched>, Error> {
    let mut reader = Reader { bytes, at: 0 };
    let mut searches = Vec::new();
    while reader.at < bytes.len() {
        let decision = u32::from_le_bytes(reader.take()?);
        let values = reader.values(players)?;
        let moves = reader.count()?;
        let shares = 0..moves & !WITH_INNER;
        let policy = shares.map(|_| Ok((reader.move_code()?, reader.number()?))).collect::<Result<_, Error>>()?;
        let positions = if moves & WITH_INNER == 0 { 0 } else { reader.count()? };
        let inner = (0..positions).map(|_| reader.inner(players)).collect::<Result<_, Error>>()?;
        searches.push(Searched { decision, values, policy, inner });
    }
    Ok(searches)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let found = self.bytes.get(self.at..self.at + N).and_then(|bytes| bytes.try_into().ok());
        let taken = found.ok_or_else(|| self.refuse(format!("cut short: {} bytes", self.bytes.len())))?;
        self.at += N;
        Ok(taken)
    }

    fn count(&mut self) -> Result<u16, Error> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    fn values(&mut self, players: usize) -> Result<Values, Error> {
        let mut values = [0.0; MAX_PLAYERS];
        for value in &mut values[..players] {
            *value = self.number()?;
        }
        Ok(values)
    }

    fn inner(&mut self, players: usize) -> Result<Inner, Error> {
        let moves = (0..self.count()?).map(|_| self.move_code()).collect::<Result<_, Error>>()?;
        Ok(Inner { moves, values: self.values(players)? })
    }

    fn number(&mut self) -> Result<f32, Error> {
        let number = f16::from_le_bytes(self.take()?).to_f32();
        if (0.0..=1.0).contains(&number) {
            Ok(number)
        } else {
            Err(self.refuse(format!("{number} is no probability")))
        }
    }

    fn move_code(&mut self) -> Result<Move, Error> {
        let code = u32::from_le_bytes(self.take()?);
        Move::from_code(code).ok_or_else(|| self.refuse(format!("{code:#010x} is no move code")))
    }

    fn refuse(&self, reason: String) -> Error {
        Error::new(format!("searches, byte {}", self.at), reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moves::MoveKind;

    fn searched() -> Searched {
        let moves = [Move::new(MoveKind::PlaceRing, 3, 1, 0), Move::plain(MoveKind::SkipPlacement)];
        let policy = moves.into_iter().zip([0.75, 0.25]).collect();
        Searched { decision: 7, values: [0.5, 0.25, 0.25, 0.0], policy, inner: Vec::new() }
    }

    #[test]
    fn the_stored_form_is_read_back() {
        let inner = Inner { moves: vec![Move::plain(MoveKind::SkipCapture)], values: [1.0, 0.0, 0.0, 0.0] };
        let searches = vec![
            searched(),
            Searched { decision: 8, inner: vec![inner.clone(), Inner { moves: Vec::new(), ..inner }], ..searched() },
            Searched { decision: 9, policy: Vec::new(), ..searched() },
        ];
        assert_eq!(from_bytes(&to_bytes(&searches, 3), 3).expect("stored"), searches);
    }

    #[test]
    fn other_bytes_are_refused_with_their_place() {
        let bytes = to_bytes(&[searched()], 3);
        for length in 1..bytes.len() {
            let fault = from_bytes(&bytes[..length], 3).expect_err("cut short").to_string();
            assert!(fault.contains("cut short"), "{fault}");
        }
        let mut wrong = bytes;
        wrong[4..6].copy_from_slice(&f16::from_f32(1.5).to_le_bytes());
        assert!(from_bytes(&wrong, 3).expect_err("no probability").to_string().contains("1.5 is no probability"));
    }

    #[test]
    fn small_shares_are_not_stored() {
        let moves = [Move::plain(MoveKind::SkipPlacement), Move::plain(MoveKind::SwapSides)];
        let found = Found { values: [0.5, 0.5, 0.0, 0.0], policy: vec![0.999, 0.001], nodes: 2, inner: Vec::new() };
        assert_eq!(Searched::of(0, &moves, found).policy, [(moves[0], 1.0)]);
    }

    #[test]
    fn a_flat_policy_is_stored_whole() {
        let moves: Vec<Move> = (0..469).map(|cell| Move::new(MoveKind::PlaceRing, cell, 1, 0)).collect();
        let policy = vec![1.0 / moves.len() as f32; moves.len()];
        let found = Found { values: [0.5, 0.5, 0.0, 0.0], policy, nodes: 469, inner: Vec::new() };
        assert_eq!(Searched::of(0, &moves, found).policy.len(), moves.len());
    }
}
