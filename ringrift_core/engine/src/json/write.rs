//! A state as JSON.

use serde_json::{json, Map, Value};

use crate::bits::Bits;
use crate::board::{Geometry, MAX_PLAYERS, NONE};
use crate::notation::cell_text;
use crate::state::{Mark, Phase, RegionDebt, State, NO_SEAT};

fn seat_value(seat: u8) -> Value {
    match seat {
        NO_SEAT => Value::Null,
        seat => json!(seat + 1),
    }
}

impl<G: Geometry> State<G> {
    /// The STATE of traces. `full` adds `turn` and `game`: everything the rules depend on.
    pub fn to_json(&self, full: bool) -> Value {
        let players = self.players();
        let mut state = Map::new();
        state.insert("p".into(), json!(self.seat + 1));
        state.insert("ph".into(), json!(self.phase.name()));
        state.insert("stk".into(), self.stacks_value());
        state.insert("mk".into(), self.owners_value(&self.markers));
        state.insert("col".into(), self.owners_value(&self.collapsed));
        state.insert("hand".into(), json!(self.hand[..players]));
        state.insert("elim".into(), json!(self.credited[..players]));
        state.insert("terr".into(), json!(self.territory[..players]));
        if self.phase != Phase::GameOver {
            for (name, slot) in [("must", self.turn.must_move), ("chain", self.turn.chain_from)] {
                if slot != NONE {
                    state.insert(name.into(), Self::slot_value(slot));
                }
            }
        }
        if self.turn.line_debt {
            state.insert("pend".into(), json!(1));
        }
        let tracker = &self.record.tracker;
        if tracker.solo_count > 0 {
            state.insert("lps".into(), json!([seat_value(tracker.solo_seat), tracker.solo_count]));
        }
        if full {
            state.insert("turn".into(), self.turn_value());
            state.insert("game".into(), self.game_value());
        }
        Value::Object(state)
    }

    fn slot_value(slot: u16) -> Value {
        match slot {
            NONE => Value::Null,
            slot => json!(cell_text(G::BOARD, Self::cell_of(slot as usize))),
        }
    }

    /// Slots of a set as map keys, sorted by (x, y).
    fn sorted_keys(cells: G::Bits) -> Vec<(usize, String)> {
        let tables = G::tables();
        let mut sorted = Vec::new();
        cells.for_each(|slot| sorted.push((tables.x[slot], tables.y[slot], slot)));
        sorted.sort_unstable();
        sorted.into_iter().map(|(x, y, slot)| (slot, format!("{x},{y}"))).collect()
    }

    fn stacks_value(&self) -> Value {
        let keys = Self::sorted_keys(self.all_stacks());
        let text = |slot| self.stacks.rings(slot).map(|seat| (b'1' + seat as u8) as char).collect::<String>();
        Value::Object(keys.into_iter().map(|(slot, key)| (key, json!(text(slot)))).collect())
    }

    fn owners_value(&self, sets: &[G::Bits; MAX_PLAYERS]) -> Value {
        let all = (sets[0] | sets[1]) | (sets[2] | sets[3]);
        let owner = |slot: usize| sets.iter().position(|set| set.has(slot)).map(|seat| seat + 1);
        Value::Object(Self::sorted_keys(all).into_iter().map(|(slot, key)| (key, json!(owner(slot)))).collect())
    }

    fn turn_value(&self) -> Value {
        let turn = &self.turn;
        json!({
            "no": turn.number,
            "mustMove": Self::slot_value(turn.must_move),
            "captureFrom": Self::slot_value(turn.capture_from),
            "chainFrom": Self::slot_value(turn.chain_from),
            "lineDebt": turn.line_debt,
            "regionDebt": match turn.region_debt {
                RegionDebt::None => Value::Null,
                RegionDebt::Cap => json!("cap"),
                RegionDebt::Buried => json!("buried"),
            },
            "lineDone": turn.line_done,
            "regionDone": turn.region_done,
            "changed": turn.changed,
            "recovered": turn.recovered,
            "realAvailable": turn.real_available,
            "realTaken": turn.real_taken,
        })
    }

    fn game_value(&self) -> Value {
        let players = self.players();
        let record = &self.record;
        let tracker = &record.tracker;
        let gone_at: Vec<Value> = record.gone_at[..players]
            .iter()
            .map(|turn| if *turn == u32::MAX { Value::Null } else { json!(turn) })
            .collect();
        let recent: Vec<u8> = record.recent[..record.recent_len as usize].iter().map(|seat| seat + 1).collect();
        let marks: Map<String, Value> = (1..)
            .zip(tracker.marks)
            .filter(|(_, mark)| mark.set)
            .map(|(seat, mark): (usize, Mark)| (seat.to_string(), json!([mark.available, mark.taken])))
            .collect();
        let outcome = record.outcome;
        let mut game = json!({
            "swap": self.setup.swap(),
            "swapUsed": record.swap_used,
            "seat2Moved": record.seat2_moved,
            "recent": recent,
            "goneAt": gone_at,
            "leader": seat_value(tracker.leader),
            "marks": marks,
            "soloSeat": seat_value(tracker.solo_seat),
            "soloCount": tracker.solo_count,
            "winner": outcome.map(|outcome| outcome.winner + 1),
            "reason": outcome.map(|outcome| outcome.reason.name()),
            "ranks": outcome.map(|outcome| outcome.ranks[..players].to_vec()),
        });
        if self.setup.deployed() {
            let oldest_first: Vec<Value> =
                self.stacks_by_age().into_iter().map(|slot| Self::slot_value(slot as u16)).collect();
            game["oldestFirst"] = Value::Array(oldest_first);
            game["lastEntry"] = seat_value(record.last_entry);
        }
        game
    }
}
