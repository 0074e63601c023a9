//! A state from JSON: every field is checked where it is read, the whole by `validate`.

use serde_json::Value;

use super::field::Field;
use crate::bits::Bits;
use crate::board::{Board, Geometry, MAX_PLAYERS, NONE};
use crate::error::Error;
use crate::notation::parse_cell;
use crate::setup::Setup;
use crate::state::{Mark, Outcome, Phase, Reason, RegionDebt, State, Tracker, Turn, NO_SEAT};

/// The key of a board map as a slot.
fn slot_of_key<G: Geometry>(key: &str, field: &Field) -> Result<usize, Error> {
    let cell = parse_cell(G::BOARD, key).map_err(|reason| {
        let off = format!("off the board {}", G::BOARD.name());
        field.error(match reason.split_once(&off) {
            Some((_, range)) => format!("{off}{range}"),
            None => reason,
        })
    })?;
    Ok(State::<G>::slot_of(cell))
}

/// Largest turn number that is read.
const MOST_TURNS: u64 = 1_000_000_000;

impl<G: Geometry> State<G> {
    /// Reads a STATE of traces, with or without `turn` and `game`. Without them: the turn number is 1, seat 1 (or the
    /// first with rings) leads the round, nobody acted yet, the turn counts as changed in the phases after movement, no
    /// ring is owed for a region, and no recovery slide was made.
    /// `game.swap`, where given, decides whether the pie rule is on. Impossible states are refused.
    pub fn from_json(setup: Setup, value: &Value) -> Result<Self, Error> {
        let field = Field { place: "state".into(), value };
        field.only_known(&[
            "p", "ph", "stk", "mk", "col", "hand", "elim", "terr", "must", "chain", "pend", "lps", "turn", "game",
        ])?;
        let mut state = State::new(setup);
        let players = state.players();
        let phase = field.member("ph")?;
        state.phase = Phase::from_name(phase.text()?).ok_or_else(|| phase.wrong("a phase"))?;
        state.seat = field.member("p")?.seat(players)? as u8;
        state.read_board(&field)?;
        state.read_counts(&field)?;
        match field.optional("turn")? {
            Some(turn) => state.read_turn(&turn)?,
            None => state.assume_turn(),
        }
        state.read_short_turn_fields(&field)?;
        match field.optional("game")? {
            Some(game) => state.read_game(&game)?,
            None => state.assume_game(),
        }
        state.read_solo(&field)?;
        if field.optional("turn")?.is_none() {
            state.turn.real_available |= state.has_real_action(state.mover());
        }
        state.check()?;
        Ok(state)
    }

    fn read_board(&mut self, field: &Field) -> Result<(), Error> {
        let players = self.players();
        let most = G::BOARD.rings_per_player() as usize * players;
        for (key, stack) in field.member("stk")?.entries()? {
            let slot = slot_of_key::<G>(key, &stack)?;
            let rings = stack.text()?;
            if rings.is_empty() || rings.len() > most {
                return Err(stack.wrong(&format!("1 to {most} rings, bottom first")));
            }
            let seats: Option<Vec<usize>> = rings
                .bytes()
                .map(|ring| (ring as usize).checked_sub(b'1' as usize).filter(|seat| *seat < players))
                .collect();
            let Some(seats) = seats else {
                return Err(stack.wrong(&format!("rings of players 1 to {players}, bottom first")));
            };
            for seat in &seats {
                self.on_board[*seat] += 1;
                if self.on_board[*seat] as u32 > G::BOARD.rings_per_player() {
                    let reason = format!("more than {} rings of player {}", G::BOARD.rings_per_player(), seat + 1);
                    return Err(stack.error(reason));
                }
            }
            for seat in seats {
                self.stacks.push_top(slot, seat);
            }
            self.reread_control(slot);
            self.renew_age(slot);
        }
        for (key, marker) in field.member("mk")?.entries()? {
            let slot = slot_of_key::<G>(key, &marker)?;
            if self.all_stacks().has(slot) {
                return Err(marker.error("a marker under a stack: a cell holds one of them"));
            }
            self.markers[marker.seat(players)?].insert(slot);
        }
        for (key, cell) in field.member("col")?.entries()? {
            let slot = slot_of_key::<G>(key, &cell)?;
            if (self.all_stacks() | self.all_markers()).has(slot) {
                return Err(cell.error("a collapsed cell holds neither stack nor marker"));
            }
            self.collapsed[cell.seat(players)?].insert(slot);
        }
        Ok(())
    }

    fn read_counts(&mut self, field: &Field) -> Result<(), Error> {
        let players = self.players();
        let rings = G::BOARD.rings_per_player() as u64;
        let everything = rings * players as u64;
        let hand = field.member("hand")?;
        self.hand = hand.per_player(players, rings)?;
        self.credited = field.member("elim")?.per_player(players, everything)?;
        let territory = field.member("terr")?;
        self.territory = territory.per_player(players, G::BOARD.cells() as u64)?;
        for seat in 0..players {
            let owned = self.collapsed[seat].count();
            if self.territory[seat] as u32 != owned {
                let reason = format!("player {} owns {owned} collapsed cells, not {}", seat + 1, self.territory[seat]);
                return Err(territory.error(reason));
            }
            let known = self.hand[seat] as u64 + self.on_board[seat] as u64;
            // After a stalemate the hands are gone, so colours are only bounded from above.
            if known > rings {
                let reason = format!("player {} has {known} rings in hand and on the board, of {rings}", seat + 1);
                return Err(hand.error(reason));
            }
        }
        let sum = |numbers: &[u16; MAX_PLAYERS]| numbers.iter().map(|number| *number as u64).sum::<u64>();
        let (hands, board, out) = (sum(&self.hand), sum(&self.on_board), sum(&self.credited));
        if hands + board + out != everything {
            return Err(field.error(format!(
                "rings are not conserved: {hands} in hand + {board} on the board + {out} eliminated is not {everything}"
            )));
        }
        Ok(())
    }

    fn read_turn(&mut self, field: &Field) -> Result<(), Error> {
        const FLAGS: [&str; 7] =
            ["lineDebt", "lineDone", "regionDone", "changed", "recovered", "realAvailable", "realTaken"];
        const OTHERS: [&str; 5] = ["no", "mustMove", "captureFrom", "chainFrom", "regionDebt"];
        field.only_known(&[&FLAGS[..], &OTHERS[..]].concat())?;
        let mut flags = [false; 7];
        for (flag, name) in flags.iter_mut().zip(FLAGS) {
            *flag = field.member(name)?.flag()?;
        }
        let [line_debt, line_done, region_done, changed, recovered, real_available, real_taken] = flags;
        let debt = field.member("regionDebt")?;
        self.turn = Turn {
            number: field.member("no")?.number(1, MOST_TURNS)? as u32,
            must_move: field.member("mustMove")?.slot_or_null::<G>()?,
            capture_from: field.member("captureFrom")?.slot_or_null::<G>()?,
            chain_from: field.member("chainFrom")?.slot_or_null::<G>()?,
            region_debt: match debt.value {
                Value::Null => RegionDebt::None,
                Value::String(text) if text == "cap" => RegionDebt::Cap,
                Value::String(text) if text == "buried" => RegionDebt::Buried,
                _ => return Err(debt.wrong("null, \"cap\" or \"buried\"")),
            },
            line_debt,
            line_done,
            region_done,
            changed,
            recovered,
            real_available,
            real_taken,
        };
        Ok(())
    }

    fn assume_turn(&mut self) {
        let changed = matches!(
            self.phase,
            Phase::Capture | Phase::ChainCapture | Phase::LineProcessing | Phase::TerritoryProcessing
        );
        self.turn = Turn { changed, ..Turn::start(1) };
    }

    /// `must`, `chain` and `pend`: alone they set the turn's fields, beside `turn` they must agree with it.
    fn read_short_turn_fields(&mut self, field: &Field) -> Result<(), Error> {
        let given = field.optional("turn")?.is_some();
        let differs = |short: &Field| short.error("differs from the field of the same meaning in state.turn");
        let over = self.phase == Phase::GameOver;
        if let Some(must) = field.optional("must")? {
            let slot = must.slot_or_null::<G>()?;
            if given && slot != self.turn.must_move {
                return Err(differs(&must));
            }
            self.turn.must_move = slot;
            self.turn.changed |= !given;
            self.turn.real_taken |= !given;
        } else if given && !over && self.turn.must_move != NONE {
            return Err(field.error("the field \"must\" is missing, but state.turn.mustMove is set"));
        }
        if let Some(chain) = field.optional("chain")? {
            let slot = chain.slot_or_null::<G>()?;
            if given && slot != self.turn.chain_from {
                return Err(differs(&chain));
            }
            self.turn.chain_from = slot;
        } else if given && !over && self.turn.chain_from != NONE {
            return Err(field.error("the field \"chain\" is missing, but state.turn.chainFrom is set"));
        }
        if let Some(pend) = field.optional("pend")? {
            pend.number(1, 1)?;
            if given && !self.turn.line_debt {
                return Err(differs(&pend));
            }
            self.turn.line_debt = true;
            self.turn.line_done = true;
        } else if given && self.turn.line_debt {
            return Err(field.error("the field \"pend\" is missing, but state.turn.lineDebt is true"));
        }
        if !given && self.phase == Phase::Capture {
            // The capturing stack is known without `turn` where it is the one that was placed this turn.
            if self.turn.must_move == NONE {
                return Err(field.error(
                    "the phase capture without \"must\" leaves open which stack captures: give the full state, with \
                     \"turn\" and \"game\", as Game.state() does",
                ));
            }
            self.turn.capture_from = self.turn.must_move;
        }
        Ok(())
    }

    fn read_game(&mut self, field: &Field) -> Result<(), Error> {
        field.only_known(&[
            "swap",
            "swapUsed",
            "seat2Moved",
            "recent",
            "goneAt",
            "leader",
            "marks",
            "soloSeat",
            "soloCount",
            "winner",
            "reason",
            "ranks",
            "oldestFirst",
            "lastEntry",
        ])?;
        let players = self.players();
        self.setup = self.setup.with_swap(field.member("swap")?.flag()?);
        self.record.swap_used = field.member("swapUsed")?.flag()?;
        self.record.seat2_moved = field.member("seat2Moved")?.flag()?;
        self.record.recent_len = 0;
        for item in field.member("recent")?.items()? {
            let seat = item.seat(players)? as u8;
            let len = self.record.recent_len as usize;
            if self.record.recent[..len].contains(&seat) {
                return Err(item.error(format!("player {} stands here twice", seat + 1)));
            }
            self.record.recent[len] = seat;
            self.record.recent_len += 1;
        }
        let gone_at = field.member("goneAt")?;
        let items = gone_at.items()?;
        if items.len() != players {
            return Err(gone_at.error(format!("{} entries: expected one for each of {players} players", items.len())));
        }
        for (seat, item) in items.into_iter().enumerate() {
            if !item.value.is_null() {
                let turn = item.number(1, MOST_TURNS)? as u32;
                // A stalemate empties the hands, but only after `goneAt` is taken.
                if !self.is_gone(seat) {
                    return Err(item.error(format!("player {} still has rings", seat + 1)));
                }
                self.record.gone_at[seat] = turn;
            }
        }
        self.read_tracker(field)?;
        self.read_outcome(field)?;
        self.read_deployed_fields(field)
    }

    fn read_tracker(&mut self, field: &Field) -> Result<(), Error> {
        let players = self.players();
        let mut marks = [Mark::default(); MAX_PLAYERS];
        for (key, entry) in field.member("marks")?.entries()? {
            let seat = (1..=players).find(|seat| seat.to_string() == key);
            let seat = seat.ok_or_else(|| entry.error(format!("the key is no player from 1 to {players}")))?;
            match entry.items()?.as_slice() {
                [available, taken] => {
                    marks[seat - 1] = Mark { set: true, available: available.flag()?, taken: taken.flag()? };
                }
                _ => return Err(entry.wrong("[realAvailable, realTaken]")),
            }
        }
        let leader = field.member("leader")?;
        let count = field.member("soloCount")?;
        self.record.tracker = Tracker {
            leader: leader.seat_or_null(players)?,
            marks,
            solo_seat: field.member("soloSeat")?.seat_or_null(players)?,
            solo_count: count.number(0, 60_000)? as u16,
        };
        let tracker = &self.record.tracker;
        if tracker.leader == NO_SEAT && !self.setup.deployed() {
            return Err(leader.wrong("the seat that leads the round"));
        }
        if tracker.solo_count > 0 && tracker.solo_seat == NO_SEAT {
            return Err(count.error(format!("{} rounds, but no soloSeat", tracker.solo_count)));
        }
        if tracker.solo_count > 2 && !self.setup.deployed() && self.phase != Phase::GameOver {
            return Err(count.error(format!("{} rounds: the third ends the game", tracker.solo_count)));
        }
        Ok(())
    }

    fn read_outcome(&mut self, field: &Field) -> Result<(), Error> {
        let (winner, reason, ranks) = (field.member("winner")?, field.member("reason")?, field.member("ranks")?);
        if self.phase != Phase::GameOver {
            for part in [winner, reason, ranks] {
                if !part.value.is_null() {
                    return Err(part.wrong("null until the phase is game_over"));
                }
            }
            return Ok(());
        }
        let players = self.players();
        let seat = winner.seat(players)?;
        if seat != self.mover() {
            return Err(winner.error(format!("at game_over the winner is state.p, {}", self.seat + 1)));
        }
        let cause = Reason::from_name(reason.text()?).ok_or_else(|| reason.wrong("a reason to end a game"))?;
        let items = ranks.items()?;
        if items.len() != players {
            return Err(ranks.error(format!("{} ranks: expected one for each of {players} players", items.len())));
        }
        let mut outcome = Outcome { winner: seat, ranks: [0; MAX_PLAYERS], reason: cause };
        for (rank, item) in outcome.ranks.iter_mut().zip(&items) {
            *rank = item.number(1, players as u64)? as u8;
        }
        if outcome.ranks[seat] != 1 {
            return Err(ranks.error("the winner's rank is 1"));
        }
        self.record.outcome = Some(outcome);
        Ok(())
    }

    /// `oldestFirst` and `lastEntry`, in the deployed profile only; both may be left out.
    fn read_deployed_fields(&mut self, field: &Field) -> Result<(), Error> {
        let players = self.players();
        if let Some(order) = field.optional("oldestFirst")? {
            if !self.setup.deployed() {
                return Err(order.error("a field of the profile deployed"));
            }
            let mut left = self.all_stacks();
            self.record.last_age = 0;
            for item in order.items()? {
                let slot = item.slot_or_null::<G>()?;
                if slot == NONE || !left.has(slot as usize) {
                    return Err(item.wrong("a cell with a stack, each once"));
                }
                left.remove(slot as usize);
                self.renew_age(slot as usize);
            }
            if !left.is_empty() {
                return Err(order.error("a stack is missing in this list"));
            }
        }
        if let Some(entry) = field.optional("lastEntry")? {
            if !self.setup.deployed() {
                return Err(entry.error("a field of the profile deployed"));
            }
            self.record.last_entry = entry.seat_or_null(players)?;
        }
        Ok(())
    }

    fn assume_game(&mut self) {
        let players = self.players();
        for seat in 0..players {
            if self.is_gone(seat) {
                self.record.gone_at[seat] = self.turn.number;
            }
        }
        self.record.seat2_moved = (self.hand[1] as u32) < G::BOARD.rings_per_player();
        if !self.setup.deployed() {
            let leader = (0..players).find(|seat| !self.is_gone(*seat)).unwrap_or(0);
            self.record.tracker.leader = leader as u8;
        }
        if self.phase == Phase::GameOver {
            let winner = self.mover();
            let reason = self.assumed_reason(winner);
            self.record.outcome = Some(Outcome { winner, ranks: self.ranks(winner), reason });
        }
    }

    /// `lps`: alone it sets the tracker, beside `game` it must agree with it.
    fn read_solo(&mut self, field: &Field) -> Result<(), Error> {
        let given = field.optional("game")?.is_some();
        let Some(solo) = field.optional("lps")? else {
            return match given && self.record.tracker.solo_count > 0 {
                true => Err(field.error("the field \"lps\" is missing, but state.game.soloCount is set")),
                false => Ok(()),
            };
        };
        let items = solo.items()?;
        let [seat, count] = items.as_slice() else { return Err(solo.wrong("[seat, rounds]")) };
        let seat = seat.seat(self.players())? as u8;
        let most = if self.setup.deployed() { 60_000 } else { 3 };
        let count = count.number(1, most)? as u16;
        let tracker = &mut self.record.tracker;
        if given && (tracker.solo_seat, tracker.solo_count) != (seat, count) {
            return Err(solo.error("differs from state.game.soloSeat and soloCount"));
        }
        if count > 2 && !self.setup.deployed() && self.phase != Phase::GameOver {
            return Err(solo.error(format!("{count} rounds: the third ends the game")));
        }
        (tracker.solo_seat, tracker.solo_count) = (seat, count);
        Ok(())
    }
}

/// The board named in a header or on a command line.
pub(crate) fn parse_board(name: &str) -> Result<Board, String> {
    Board::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Board::ALL.iter().map(|board| board.name()).collect();
        format!("{name:?}: expected one of {}", known.join(", "))
    })
}
