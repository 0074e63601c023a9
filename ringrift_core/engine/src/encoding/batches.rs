//! Rows of a dataset as a training draws them: a record of bytes each, so that any of them is read at once; and batches of
//! them, each row as seen through a symmetry of its own.
//!
//! A record, little-endian: packed planes, packed owners, reason (u8), whether symmetries may be used (u8), turns left,
//! decisions without a search (u16), then f16: globals, and by seat outcomes, values, eliminations and territories; the number of
//! legal moves (u32), and of these the shares (f16), the numbers of keys (u8) and the keys (u16).

use half::f16;

use super::bitmaps::{self, Unpacker};
use super::frame::Frame;
use super::policy::KeyMap;
use super::Shape;
use crate::board::Board;
use crate::error::Error;

/// Columns of `rows::Rows`, those that a training reads.
pub struct Columns<'a> {
    pub planes: &'a [u8],
    pub globals: &'a [f16],
    pub outcomes: &'a [f16],
    pub values: &'a [f16],
    pub eliminations: &'a [f16],
    pub territories: &'a [f16],
    pub owners: &'a [u8],
    pub reasons: &'a [u8],
    pub turns_left: &'a [u16],
    pub unsearched: &'a [u16],
    pub symmetric: &'a [u8],
    pub legal: &'a [u32],
    pub shares: &'a [f16],
    pub key_counts: &'a [u8],
    pub keys: &'a [u16],
}

/// Rows as a network takes them: `[rows, ...]` arrays.
#[derive(Default)]
pub struct Batch {
    pub planes: Vec<f32>,
    pub globals: Vec<f32>,
    pub outcomes: Vec<f32>,
    pub values: Vec<f32>,
    pub eliminations: Vec<f32>,
    pub territories: Vec<f32>,
    /// `[rows, players, side, side]`: 1 on each seat's final territory.
    pub owners: Vec<f32>,
    pub reasons: Vec<i64>,
    pub turns_left: Vec<f32>,
    pub unsearched: Vec<i64>,
    /// Most legal moves of a row, and most keys of a move.
    pub moves: usize,
    pub most_keys: usize,
    /// `[rows, moves]`
    pub legal: Vec<bool>,
    pub shares: Vec<f32>,
    /// `[rows, moves, most_keys]`; places without a key hold the size of the policy output.
    pub keys: Vec<i64>,
}

/// How the records of one configuration are laid out.
pub struct Records {
    board: Board,
    players: usize,
    shape: Shape,
    planes: usize,
    owners: usize,
}

impl Records {
    pub fn of(board: Board, players: usize) -> Records {
        Records {
            board,
            players,
            shape: Shape::of(board, players),
            planes: bitmaps::bytes(board, players),
            owners: bitmaps::owner_bytes(board, players),
        }
    }

    /// The records of rows, one after the other, and the length of each; an error where columns do not fit together.
    pub fn pack(&self, columns: &Columns<'_>) -> Result<(Vec<u8>, Vec<u32>), Error> {
        let rows = columns.legal.len();
        self.check(columns, rows)?;
        let (mut bytes, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
        let (mut moves, mut keys) = (0, 0);
        for row in 0..rows {
            let first = bytes.len();
            bytes.extend_from_slice(&columns.planes[row * self.planes..][..self.planes]);
            bytes.extend_from_slice(&columns.owners[row * self.owners..][..self.owners]);
            bytes.extend([columns.reasons[row], columns.symmetric[row]]);
            bytes.extend(columns.turns_left[row].to_le_bytes());
            bytes.extend(columns.unsearched[row].to_le_bytes());
            write(&columns.globals[row * self.shape.globals..][..self.shape.globals], &mut bytes);
            for column in [columns.outcomes, columns.values, columns.eliminations, columns.territories] {
                write(&column[row * self.players..][..self.players], &mut bytes);
            }
            let legal = columns.legal[row] as usize;
            let counts = &columns.key_counts[moves..][..legal];
            let named: usize = counts.iter().map(|count| *count as usize).sum();
            bytes.extend(columns.legal[row].to_le_bytes());
            write(&columns.shares[moves..][..legal], &mut bytes);
            bytes.extend_from_slice(counts);
            columns.keys[keys..][..named].iter().for_each(|key| bytes.extend(key.to_le_bytes()));
            (moves, keys) = (moves + legal, keys + named);
            lengths.push((bytes.len() - first) as u32);
        }
        Ok((bytes, lengths))
    }

    fn check(&self, columns: &Columns<'_>, rows: usize) -> Result<(), Error> {
        let moves: usize = columns.legal.iter().map(|legal| *legal as usize).sum();
        let keys: usize = columns.key_counts.iter().map(|count| *count as usize).sum();
        let seats = rows * self.players;
        let lengths = [
            ("planes", columns.planes.len(), rows * self.planes),
            ("owners", columns.owners.len(), rows * self.owners),
            ("globals", columns.globals.len(), rows * self.shape.globals),
            ("outcomes", columns.outcomes.len(), seats),
            ("values", columns.values.len(), seats),
            ("eliminations", columns.eliminations.len(), seats),
            ("territories", columns.territories.len(), seats),
            ("reasons", columns.reasons.len(), rows),
            ("turns_left", columns.turns_left.len(), rows),
            ("unsearched", columns.unsearched.len(), rows),
            ("symmetric", columns.symmetric.len(), rows),
            ("shares", columns.shares.len(), moves),
            ("key_counts", columns.key_counts.len(), moves),
            ("keys", columns.keys.len(), keys),
        ];
        match lengths.into_iter().find(|(_, found, wanted)| found != wanted) {
            Some((name, found, wanted)) => Err(Error::new(name, format!("{found} numbers, expected {wanted}"))),
            None => Ok(()),
        }
    }

    /// The rows of some records, each as seen through the symmetry of that number where its position allows it.
    pub fn unpack(&self, records: &[&[u8]], symmetries: &[u8]) -> Result<Batch, Error> {
        let frames = Frame::all(self.board);
        if let Some(wrong) = symmetries.iter().find(|symmetry| **symmetry as usize >= frames.len()) {
            return Err(Error::new("symmetries", format!("{wrong}: {} has {}", self.board.name(), frames.len())));
        }
        let rows: Vec<Row<'_>> = records.iter().map(|record| Row::read(record, self)).collect::<Result<_, Error>>()?;
        let mut views: Vec<Option<View>> = frames.iter().map(|_| None).collect();
        let (count, area) = (rows.len(), self.shape.side * self.shape.side);
        let moves = rows.iter().map(|row| row.counts.len()).max().unwrap_or(0);
        let most_keys = rows.iter().flat_map(|row| row.counts).max().map_or(0, |most| *most as usize);
        let mut batch = Batch {
            planes: vec![0.0; count * self.shape.plane_len()],
            owners: vec![0.0; count * self.players * area],
            legal: vec![false; count * moves],
            shares: vec![0.0; count * moves],
            keys: vec![self.shape.policy as i64; count * moves * most_keys],
            moves,
            most_keys,
            ..Batch::default()
        };
        for (place, (row, symmetry)) in rows.iter().zip(symmetries).enumerate() {
            let symmetry = if row.symmetric { *symmetry as usize } else { 0 };
            let view = views[symmetry].get_or_insert_with(|| View::of(self, &frames[symmetry]));
            let planes = &mut batch.planes[place * self.shape.plane_len()..][..self.shape.plane_len()];
            view.unpacker.unpack(row.planes, planes);
            let owners = &mut batch.owners[place * self.players * area..][..self.players * area];
            view.unpacker.unpack_owners(row.owners, owners);
            batch.reasons.push(row.reason);
            batch.turns_left.push(row.turns_left);
            batch.unsearched.push(row.unsearched);
            let mut numbers = row.numbers.chunks_exact(2).map(number);
            batch.globals.extend(numbers.by_ref().take(self.shape.globals));
            for column in [&mut batch.outcomes, &mut batch.values, &mut batch.eliminations, &mut batch.territories] {
                column.extend(numbers.by_ref().take(self.players));
            }
            let mut keys = row.keys.chunks_exact(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
            for (index, (count, share)) in row.counts.iter().zip(row.shares.chunks_exact(2)).enumerate() {
                let at = place * moves + index;
                batch.legal[at] = true;
                batch.shares[at] = number(share);
                let named = &mut batch.keys[at * most_keys..][..*count as usize];
                named.iter_mut().zip(&mut keys).for_each(|(place, key)| *place = view.keys.key(key).into());
            }
        }
        Ok(batch)
    }
}

/// A board as seen through one symmetry.
struct View {
    unpacker: Unpacker,
    keys: KeyMap,
}

impl View {
    fn of(records: &Records, frame: &Frame) -> View {
        let (board, players) = (records.board, records.players);
        View { unpacker: Unpacker::seen_through(frame, board, players), keys: KeyMap::of(board, players, frame) }
    }
}

/// The parts of a record.
struct Row<'a> {
    planes: &'a [u8],
    owners: &'a [u8],
    reason: i64,
    symmetric: bool,
    turns_left: f32,
    unsearched: i64,
    numbers: &'a [u8],
    shares: &'a [u8],
    counts: &'a [u8],
    keys: &'a [u8],
}

impl<'a> Row<'a> {
    fn read(record: &'a [u8], records: &Records) -> Result<Row<'a>, Error> {
        let mut left = record;
        let mut take = |length: usize| {
            let cut = || Error::new("record", format!("cut short: {} bytes", record.len()));
            let (taken, rest) = left.split_at_checked(length).ok_or_else(cut)?;
            left = rest;
            Ok::<_, Error>(taken)
        };
        let (planes, owners, flags) = (take(records.planes)?, take(records.owners)?, take(6)?);
        let numbers = take(2 * (records.shape.globals + 4 * records.players))?;
        let legal = take(4)?;
        let legal = u32::from_le_bytes([legal[0], legal[1], legal[2], legal[3]]) as usize;
        let (shares, counts) = (take(2 * legal)?, take(legal)?);
        let keys = take(2 * counts.iter().map(|count| *count as usize).sum::<usize>())?;
        Ok(Row {
            planes,
            owners,
            reason: flags[0].into(),
            symmetric: flags[1] != 0,
            turns_left: u16::from_le_bytes([flags[2], flags[3]]).into(),
            unsearched: u16::from_le_bytes([flags[4], flags[5]]).into(),
            numbers,
            shares,
            counts,
            keys,
        })
    }
}

fn write(numbers: &[f16], bytes: &mut Vec<u8>) {
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}

fn number(bytes: &[u8]) -> f32 {
    f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
}
