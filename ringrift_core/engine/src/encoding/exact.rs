//! A whole state in few bytes: every field, the setup included, in a code of bits that is one for each state.
//!
//! Bits are written lowest first. Numbers are in Elias' gamma code (P. Elias, "Universal codeword sets", 1975), seats in
//! one bit with two players and two with more. What follows from the board (control, territory, rings on it) is derived.

use crate::bits::Bits;
use crate::board::{Board, Geometry, MAX_PLAYERS, NONE};
use crate::error::Error;
use crate::game::Game;
use crate::setup::{Profile, Setup};
use crate::state::{Mark, Outcome, Phase, Reason, RegionDebt, State, Turn, NO_SEAT};

/// Raised when the meaning of the bits changes.
const VERSION: u32 = 1;
const VERSION_BITS: u32 = 2;
const CELL_BITS: u32 = 9;
/// Largest turn number that is read, as in JSON.
const MOST_TURNS: u32 = 1_000_000_000;
/// Most solo rounds that are read: the deployed profile counts on beyond three.
const MOST_SOLO_ROUNDS: u32 = 60_000;

const DEBTS: [RegionDebt; 3] = [RegionDebt::None, RegionDebt::Cap, RegionDebt::Buried];

/// The state's bytes.
pub fn to_bytes<G: Geometry>(state: &State<G>) -> Vec<u8> {
    let mut out = Writer { bytes: Vec::with_capacity(128), used: 0, seat_bits: seat_bits(state.players()) };
    out.setup(&state.setup);
    out.cells(state);
    out.counts(state);
    out.turn(state);
    out.record(state);
    out.bytes
}

/// The game that bytes hold; other bytes are refused.
pub fn from_bytes(bytes: &[u8]) -> Result<Game, Error> {
    let mut reader = Reader { bytes, at: 0, seat_bits: 1 };
    let setup = reader.setup()?;
    Ok(match setup.board() {
        Board::Square8 => Game::Square8(reader.state(setup)?),
        Board::Hex8 => Game::Hex8(reader.state(setup)?),
        Board::Square19 => Game::Square19(Box::new(reader.state(setup)?)),
        Board::Hexagonal => Game::Hexagonal(Box::new(reader.state(setup)?)),
    })
}

const fn seat_bits(players: usize) -> u32 {
    if players == 2 {
        1
    } else {
        2
    }
}

struct Writer {
    bytes: Vec<u8>,
    /// Bits used of the last byte; 0 is all of them.
    used: u32,
    seat_bits: u32,
}

impl Writer {
    fn bits(&mut self, value: u32, count: u32) {
        debug_assert!(count == 32 || value >> count == 0);
        for index in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().expect("a byte was pushed") |= ((value >> index & 1) as u8) << self.used;
            self.used = (self.used + 1) % 8;
        }
    }

    fn flag(&mut self, flag: bool) {
        self.bits(flag as u32, 1);
    }

    fn seat(&mut self, seat: usize) {
        self.bits(seat as u32, self.seat_bits);
    }

    fn seat_or_none(&mut self, seat: u8) {
        self.flag(seat != NO_SEAT);
        if seat != NO_SEAT {
            self.seat(seat as usize);
        }
    }

    /// A number from 0, in gamma code of its successor: one bit for 0, three for 1 and 2, five up to 6.
    fn number(&mut self, number: u32) {
        let successor = number as u64 + 1;
        let digits = 63 - successor.leading_zeros();
        self.bits(0, digits);
        self.flag(true);
        // Without the leading digit; at most 32 bits are left.
        self.bits((successor & !(1 << digits)) as u32, digits);
    }

    fn place<G: Geometry>(&mut self, slot: u16) {
        self.flag(slot != NONE);
        if slot != NONE {
            self.bits(State::<G>::cell_of(slot as usize) as u32, CELL_BITS);
        }
    }

    fn setup(&mut self, setup: &Setup) {
        self.bits(VERSION, VERSION_BITS);
        self.bits(setup.board() as u32, 2);
        self.bits(setup.players() as u32 - 2, 2);
        self.flag(setup.deployed());
        self.flag(setup.swap());
    }

    /// 0 empty; 10 a marker, 110 a collapsed cell and their owners; 111 a stack.
    fn cells<G: Geometry>(&mut self, state: &State<G>) {
        G::CELLS.for_each(|slot| {
            let owner = |sets: &[G::Bits; MAX_PLAYERS]| sets.iter().position(|set| set.has(slot));
            if let Some(seat) = owner(&state.markers) {
                self.bits(0b01, 2);
                self.seat(seat);
            } else if let Some(seat) = owner(&state.collapsed) {
                self.bits(0b011, 3);
                self.seat(seat);
            } else if state.stacks.at(slot).height() > 0 {
                self.bits(0b111, 3);
                self.number(state.stacks.at(slot).height() as u32 - 1);
                state.stacks.rings(slot).for_each(|ring| self.seat(ring));
                if state.setup.deployed() {
                    self.number(state.stacks.at(slot).age() as u32);
                }
            } else {
                self.flag(false);
            }
        });
    }

    fn counts<G: Geometry>(&mut self, state: &State<G>) {
        for seat in 0..state.players() {
            self.number(state.hand[seat] as u32);
            self.number(state.credited[seat] as u32);
        }
    }

    fn turn<G: Geometry>(&mut self, state: &State<G>) {
        let turn = &state.turn;
        self.seat(state.mover());
        self.bits(state.phase as u32, 3);
        self.number(turn.number - 1);
        for slot in [turn.must_move, turn.capture_from, turn.chain_from] {
            self.place::<G>(slot);
        }
        self.bits(turn.region_debt as u32, 2);
        let flags = [turn.line_debt, turn.line_done, turn.region_done, turn.changed, turn.recovered];
        flags.into_iter().chain([turn.real_available, turn.real_taken]).for_each(|flag| self.flag(flag));
    }

    fn record<G: Geometry>(&mut self, state: &State<G>) {
        let (record, players) = (&state.record, state.players());
        self.flag(record.swap_used);
        self.flag(record.seat2_moved);
        self.bits(record.recent_len as u32, 3);
        record.recent[..record.recent_len as usize].iter().for_each(|seat| self.seat(*seat as usize));
        for turn in &record.gone_at[..players] {
            self.flag(*turn != u32::MAX);
            if *turn != u32::MAX {
                self.number(*turn - 1);
            }
        }
        self.seat_or_none(record.tracker.leader);
        for mark in &record.tracker.marks[..players] {
            self.flag(mark.set);
            if mark.set {
                self.flag(mark.available);
                self.flag(mark.taken);
            }
        }
        self.seat_or_none(record.tracker.solo_seat);
        self.number(record.tracker.solo_count as u32);
        if let Some(outcome) = record.outcome {
            // The phase says that there is one, and the seat to move that it is the winner's.
            outcome.ranks[..players].iter().for_each(|rank| self.bits(*rank as u32 - 1, 2));
            self.bits(outcome.reason as u32, 3);
        }
        if state.setup.deployed() {
            self.seat_or_none(record.last_entry);
            self.number(record.last_age as u32);
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Bits read.
    at: usize,
    seat_bits: u32,
}

impl Reader<'_> {
    fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::new(format!("exact state, bit {}", self.at), reason)
    }

    fn bits(&mut self, count: u32) -> Result<u32, Error> {
        let mut value = 0;
        for index in 0..count {
            let byte = self.bytes.get(self.at / 8);
            let byte = *byte.ok_or_else(|| self.refuse(format!("cut short: {} bytes", self.bytes.len())))?;
            value |= ((byte >> (self.at % 8)) as u32 & 1) << index;
            self.at += 1;
        }
        Ok(value)
    }

    fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.bits(1)? == 1)
    }

    fn seat(&mut self, players: usize) -> Result<usize, Error> {
        let seat = self.bits(self.seat_bits)? as usize;
        if seat < players {
            Ok(seat)
        } else {
            Err(self.refuse(format!("seat {} of {players}", seat + 1)))
        }
    }

    fn seat_or_none(&mut self, players: usize) -> Result<u8, Error> {
        Ok(if self.flag()? { self.seat(players)? as u8 } else { NO_SEAT })
    }

    fn number(&mut self, most: u32) -> Result<u32, Error> {
        let mut digits = 0;
        while !self.flag()? {
            digits += 1;
            if digits > 32 {
                return Err(self.refuse("a number of more than 32 bits"));
            }
        }
        let number = ((1u64 << digits) | self.bits(digits)? as u64) - 1;
        if number > most as u64 {
            return Err(self.refuse(format!("{number}, expected at most {most}")));
        }
        Ok(number as u32)
    }

    fn place<G: Geometry>(&mut self) -> Result<u16, Error> {
        if !self.flag()? {
            return Ok(NONE);
        }
        let cell = self.bits(CELL_BITS)? as usize;
        if cell >= G::BOARD.cells() {
            return Err(self.refuse(format!("cell {cell} of {}", G::BOARD.cells())));
        }
        Ok(State::<G>::slot_of(cell) as u16)
    }

    fn setup(&mut self) -> Result<Setup, Error> {
        let version = self.bits(VERSION_BITS)?;
        if version != VERSION {
            return Err(self.refuse(format!("version {version}, this engine reads {VERSION}")));
        }
        let number = self.bits(2)?;
        let board = Board::ALL.into_iter().find(|board| *board as u32 == number);
        let board = board.ok_or_else(|| self.refuse(format!("board number {number}")))?;
        let players = self.bits(2)? as usize + 2;
        let profile = if self.flag()? { Profile::Deployed } else { Profile::Canonical };
        self.seat_bits = seat_bits(players);
        Ok(Setup::new(board, players, profile)?.with_swap(self.flag()?))
    }

    fn state<G: Geometry>(&mut self, setup: Setup) -> Result<State<G>, Error> {
        let mut state = State::new(setup);
        self.cells(&mut state)?;
        self.counts(&mut state)?;
        self.turn(&mut state)?;
        self.record(&mut state)?;
        let read = self.at;
        let spare = (8 - read % 8) % 8;
        if self.bits(spare as u32)? != 0 || self.at != 8 * self.bytes.len() {
            return Err(self.refuse(format!("{} bytes, but the state ends at bit {read}", self.bytes.len())));
        }
        state.check()?;
        Ok(state)
    }

    fn cells<G: Geometry>(&mut self, state: &mut State<G>) -> Result<(), Error> {
        let players = state.players();
        for cell in 0..G::BOARD.cells() {
            let slot = State::<G>::slot_of(cell);
            if !self.flag()? {
                continue;
            }
            if !self.flag()? {
                state.markers[self.seat(players)?].insert(slot);
            } else if !self.flag()? {
                let seat = self.seat(players)?;
                state.collapsed[seat].insert(slot);
                state.territory[seat] += 1;
            } else {
                self.stack(state, slot)?;
            }
        }
        Ok(())
    }

    fn stack<G: Geometry>(&mut self, state: &mut State<G>, slot: usize) -> Result<(), Error> {
        let (players, most) = (state.players(), G::BOARD.rings_per_player());
        let height = self.number(most * players as u32 - 1)? + 1;
        for _ in 0..height {
            let ring = self.seat(players)?;
            state.on_board[ring] += 1;
            if state.on_board[ring] as u32 > most {
                return Err(self.refuse(format!("more than {most} rings of seat {}", ring + 1)));
            }
            state.stacks.push_top(slot, ring);
        }
        state.reread_control(slot);
        if state.setup.deployed() {
            let age = self.number(u16::MAX as u32)?;
            state.stacks.set_age(slot, age as u16);
        }
        Ok(())
    }

    fn counts<G: Geometry>(&mut self, state: &mut State<G>) -> Result<(), Error> {
        let (players, rings) = (state.players(), G::BOARD.rings_per_player());
        let everything = rings * players as u32;
        let mut sum = 0;
        for seat in 0..players {
            // After a stalemate the hands are gone, so colours are only bounded from above.
            state.hand[seat] = self.number(rings - state.on_board[seat] as u32)? as u16;
            state.credited[seat] = self.number(everything)? as u16;
            sum += state.hand[seat] as u32 + state.on_board[seat] as u32 + state.credited[seat] as u32;
        }
        if sum != everything {
            return Err(self.refuse(format!("{sum} rings in hand, on the board and eliminated, not {everything}")));
        }
        Ok(())
    }

    fn turn<G: Geometry>(&mut self, state: &mut State<G>) -> Result<(), Error> {
        state.seat = self.seat(state.players())? as u8;
        state.phase = Phase::ALL[self.bits(3)? as usize];
        let number = self.number(MOST_TURNS - 1)? + 1;
        let (must_move, capture_from, chain_from) = (self.place::<G>()?, self.place::<G>()?, self.place::<G>()?);
        let debt = self.bits(2)? as usize;
        let region_debt = *DEBTS.get(debt).ok_or_else(|| self.refuse(format!("region debt number {debt}")))?;
        state.turn = Turn {
            must_move,
            capture_from,
            chain_from,
            region_debt,
            line_debt: self.flag()?,
            line_done: self.flag()?,
            region_done: self.flag()?,
            changed: self.flag()?,
            recovered: self.flag()?,
            real_available: self.flag()?,
            real_taken: self.flag()?,
            ..Turn::start(number)
        };
        if state.turn.line_debt && !state.turn.line_done {
            return Err(self.refuse("a ring is owed for a line, but none was handled"));
        }
        Ok(())
    }

    fn record<G: Geometry>(&mut self, state: &mut State<G>) -> Result<(), Error> {
        let players = state.players();
        state.record.swap_used = self.flag()?;
        state.record.seat2_moved = self.flag()?;
        self.recent(state)?;
        for seat in 0..players {
            if self.flag()? {
                if !state.is_gone(seat) {
                    return Err(self.refuse(format!("seat {} is gone, but still has rings", seat + 1)));
                }
                state.record.gone_at[seat] = self.number(MOST_TURNS - 1)? + 1;
            }
        }
        self.tracker(state)?;
        if state.phase == Phase::GameOver {
            self.outcome(state)?;
        }
        if state.setup.deployed() {
            state.record.last_entry = self.seat_or_none(players)?;
            state.record.last_age = self.number(u16::MAX as u32)? as u16;
        }
        Ok(())
    }

    fn recent<G: Geometry>(&mut self, state: &mut State<G>) -> Result<(), Error> {
        let players = state.players();
        let len = self.bits(3)? as usize;
        for index in 0..len {
            let seat = self.seat(players)? as u8;
            if state.record.recent[..index.min(MAX_PLAYERS)].contains(&seat) {
                return Err(self.refuse(format!("seat {} acted latest twice", seat + 1)));
            }
            state.record.recent[index] = seat;
        }
        state.record.recent_len = len as u8;
        Ok(())
    }

    fn tracker<G: Geometry>(&mut self, state: &mut State<G>) -> Result<(), Error> {
        let (players, deployed) = (state.players(), state.setup.deployed());
        let over = state.phase == Phase::GameOver;
        let tracker = &mut state.record.tracker;
        tracker.leader = self.seat_or_none(players)?;
        if tracker.leader == NO_SEAT && !deployed {
            return Err(self.refuse("no seat leads the round"));
        }
        for mark in &mut tracker.marks[..players] {
            if self.flag()? {
                *mark = Mark { set: true, available: self.flag()?, taken: self.flag()? };
            }
        }
        tracker.solo_seat = self.seat_or_none(players)?;
        tracker.solo_count = self.number(MOST_SOLO_ROUNDS)? as u16;
        if tracker.solo_count > 0 && tracker.solo_seat == NO_SEAT {
            return Err(self.refuse(format!("{} solo rounds of no seat", tracker.solo_count)));
        }
        if tracker.solo_count > 2 && !deployed && !over {
            return Err(self.refuse(format!("{} solo rounds: the third ends the game", tracker.solo_count)));
        }
        Ok(())
    }

    fn outcome<G: Geometry>(&mut self, state: &mut State<G>) -> Result<(), Error> {
        let (players, winner) = (state.players(), state.mover());
        let mut ranks = [0; MAX_PLAYERS];
        for rank in &mut ranks[..players] {
            *rank = self.bits(2)? as u8 + 1;
            if *rank as usize > players {
                return Err(self.refuse(format!("rank {rank} among {players}")));
            }
        }
        let number = self.bits(3)? as usize;
        let reason = *Reason::ALL.get(number).ok_or_else(|| self.refuse(format!("reason number {number}")))?;
        if ranks[winner] != 1 {
            return Err(self.refuse(format!("the winner's rank is {}", ranks[winner])));
        }
        state.record.outcome = Some(Outcome { winner, ranks, reason });
        Ok(())
    }
}
