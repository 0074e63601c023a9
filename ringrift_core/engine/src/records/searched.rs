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
use crate::players::values::Values;
use crate::players::{Found, Inner};

/// Most moves whose shares are stored. What a flat policy over a thousand placements gives to the others is near enough to
/// equal parts, and a game of the largest board would take three quarters of a megabyte.
const MOST_SHARES: usize = 32;
/// What a sum of stored shares may lack for their being stored as half floats.
const ROUNDING: f32 = 1e-3;
/// Set in the number of moves: positions of the tree follow.
const WITH_INNER: u16 = 1 << 15;

/// What a search found at one decision.
#[derive(Clone, PartialEq, Debug)]
pub struct Searched {
    /// Number of the decision in its game, from 0.
    pub decision: u32,
    /// Win probability of the agent at each seat, as seated before the decision.
    pub values: Values,
    /// The moves with the largest shares. What is missing from a sum of 1 belongs to the other legal moves, in equal parts.
    pub policy: Vec<(Move, f32)>,
    /// Positions of the tree and their values, where the player tells them.
    pub inner: Vec<Inner>,
}

impl Searched {
    /// Keeps the largest shares, in the order of the legal moves.
    pub fn of(decision: u32, legal: &[Move], found: Found) -> Searched {
        let mut largest: Vec<usize> = (0..found.policy.len()).filter(|index| found.policy[*index] > 0.0).collect();
        largest.sort_by(|one, other| found.policy[*other].total_cmp(&found.policy[*one]));
        largest.truncate(MOST_SHARES);
        largest.sort_unstable();
        let policy = largest.into_iter().map(|index| (legal[index], found.policy[index])).collect();
        Searched { decision, values: found.values, policy, inner: found.inner }
    }
}

/// The share of each of `others` moves that a policy of `legal` moves does not list.
pub fn share_of_others(policy: &[(Move, f32)], legal: usize) -> f32 {
    let missing = 1.0 - policy.iter().map(|(_, share)| share).sum::<f32>();
    if missing < ROUNDING {
        return 0.0;
    }
    missing / (legal - policy.len()).max(1) as f32
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

    fn found(policy: Vec<f32>) -> Found {
        Found { values: [0.5, 0.5, 0.0, 0.0], nodes: policy.len() as u64, policy, inner: Vec::new() }
    }

    #[test]
    fn moves_without_a_share_are_not_stored() {
        let moves = [Move::plain(MoveKind::SkipPlacement), Move::plain(MoveKind::SwapSides)];
        let policy = Searched::of(0, &moves, found(vec![1.0, 0.0])).policy;
        assert_eq!(policy, [(moves[0], 1.0)]);
        assert_eq!(share_of_others(&policy, 2), 0.0);
    }

    #[test]
    fn of_many_moves_the_largest_shares_are_stored_and_the_others_have_the_rest() {
        let moves: Vec<Move> = (0..100).map(|cell| Move::new(MoveKind::PlaceRing, cell, 1, 0)).collect();
        let large = |index: usize| index % 5 == 2;
        let shares = (0..100).map(|index| if large(index) { 0.03 } else { 0.005 }).collect();
        let policy = Searched::of(0, &moves, found(shares)).policy;
        assert_eq!(policy.len(), MOST_SHARES);
        assert!(policy.windows(2).all(|pair| pair[0].0.code() < pair[1].0.code()), "in the order of the legal moves");
        assert_eq!(policy.iter().filter(|(_, share)| *share == 0.03).count(), 20);
        assert!((share_of_others(&policy, 100) - 0.005).abs() < 1e-5);
    }
}
