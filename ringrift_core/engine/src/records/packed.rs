//! The form in which the moves of a game are stored: half the bytes of their codes, and the same for every release.
//!
//! One move after the other: a byte for its kind, then the fields that the kind uses (`MoveKind::fields`), each one byte
//! below 128, else two: the low seven bits with the eighth set, then the rest. Every list of moves has one form only, so
//! that equal games are equal bytes.

use crate::error::Error;
use crate::moves::{Move, MoveKind};

/// A first byte of a field from here on is followed by a second.
const LONG: usize = 128;
/// Fields have nine bits.
const FIELD_END: usize = 512;

/// The stored form of moves.
pub fn to_bytes(moves: &[Move]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(3 * moves.len());
    for one in moves {
        bytes.push(one.kind() as u8);
        for field in [one.a(), one.b(), one.c()].into_iter().take(one.kind().fields()) {
            if field < LONG {
                bytes.push(field as u8);
            } else {
                bytes.push((field % LONG + LONG) as u8);
                bytes.push((field / LONG) as u8);
            }
        }
    }
    bytes
}

/// Moves from their stored form. Whether they are legal, only a replay tells.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<Move>, Error> {
    let mut moves = Vec::with_capacity(bytes.len() / 2);
    let mut rest = bytes.iter();
    while let Some(kind) = rest.next() {
        let refuse = |reason: String| Error::new(format!("move {}", moves.len()), reason);
        let kind = *MoveKind::ALL.get(*kind as usize).ok_or_else(|| refuse(format!("{kind} is no kind of move")))?;
        let mut fields = [0; 3];
        for field in fields.iter_mut().take(kind.fields()) {
            *field = take_field(&mut rest).map_err(refuse)?;
        }
        moves.push(Move::new(kind, fields[0], fields[1], fields[2]));
    }
    Ok(moves)
}

fn take_field(rest: &mut std::slice::Iter<'_, u8>) -> Result<usize, String> {
    let mut byte = || rest.next().map(|byte| *byte as usize).ok_or("the bytes end in the middle of it");
    let first = byte()?;
    if first < LONG {
        return Ok(first);
    }
    let field = byte()? * LONG + first - LONG;
    if (LONG..FIELD_END).contains(&field) {
        Ok(field)
    } else {
        Err(format!("{field} in two bytes, expected {LONG} to {}", FIELD_END - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_is_read_back() {
        let numbers = [0, 1, 127, 128, 255, 256, 360, 511];
        let mut moves = Vec::new();
        for kind in MoveKind::ALL {
            for (index, number) in numbers.into_iter().enumerate() {
                let mut fields = [number, numbers[(index + 3) % 8], numbers[(index + 5) % 8]];
                fields[kind.fields()..].fill(0);
                moves.push(Move::new(kind, fields[0], fields[1], fields[2]));
            }
        }
        assert_eq!(from_bytes(&to_bytes(&moves)).expect("stored"), moves);
    }

    #[test]
    fn other_bytes_are_refused_and_no_game_has_two_forms() {
        let fault = |bytes: &[u8]| from_bytes(bytes).expect_err("refused").to_string();
        assert_eq!(fault(&[1, 25]), "move 1: 25 is no kind of move");
        assert_eq!(fault(&[0, 3]), "move 0: the bytes end in the middle of it");
        assert_eq!(fault(&[18, 200]), "move 0: the bytes end in the middle of it");
        assert_eq!(fault(&[18, 133, 0]), "move 0: 5 in two bytes, expected 128 to 511");
        assert_eq!(fault(&[18, 128, 4]), "move 0: 512 in two bytes, expected 128 to 511");
    }
}
