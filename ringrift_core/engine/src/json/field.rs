//! A JSON value with its place, and the ways to read it that end in one clear error.

use serde_json::{Map, Value};

use crate::board::{Geometry, MAX_PLAYERS, NONE};
use crate::error::Error;
use crate::notation::parse_cell;
use crate::state::{State, NO_SEAT};

/// A JSON value and where it stands, for messages.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub place: String,
    pub value: &'a Value,
}

impl<'a> Field<'a> {
    pub fn error(&self, reason: impl Into<String>) -> Error {
        Error::new(self.place.clone(), reason)
    }

    pub fn wrong(&self, expected: &str) -> Error {
        let found: String = self.value.to_string().chars().take(60).collect();
        self.error(format!("found {found}: expected {expected}"))
    }

    pub fn object(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.wrong("an object"))
    }

    /// A member of an object; an error if it is missing.
    pub fn member(&self, name: &str) -> Result<Field<'a>, Error> {
        self.optional(name)?.ok_or_else(|| self.error(format!("the field {name:?} is missing")))
    }

    pub fn optional(&self, name: &str) -> Result<Option<Field<'a>>, Error> {
        let place = format!("{}.{name}", self.place);
        Ok(self.object()?.get(name).map(|value| Field { place, value }))
    }

    pub fn entries(&self) -> Result<Vec<(&'a str, Field<'a>)>, Error> {
        let entry = |(key, value): (&'a String, &'a Value)| {
            let shown: String = key.chars().take(60).collect();
            (key.as_str(), Field { place: format!("{}[{shown:?}]", self.place), value })
        };
        Ok(self.object()?.iter().map(entry).collect())
    }

    pub fn items(&self) -> Result<Vec<Field<'a>>, Error> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        let item = |(index, value)| Field { place: format!("{}[{index}]", self.place), value };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub fn only_known(&self, known: &[&str]) -> Result<(), Error> {
        match self.object()?.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => {
                let shown: String = key.chars().take(60).collect();
                Err(Error::new(format!("{}.{shown}", self.place), "unknown field"))
            }
            None => Ok(()),
        }
    }

    pub fn number(&self, least: u64, most: u64) -> Result<u64, Error> {
        let range = format!("a whole number from {least} to {most}");
        self.value.as_u64().filter(|number| (least..=most).contains(number)).ok_or_else(|| self.wrong(&range))
    }

    pub fn flag(&self) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub fn text(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.wrong("a text"))
    }

    pub fn seat(&self, players: usize) -> Result<usize, Error> {
        let most = players as u64;
        let number = self.value.as_u64().filter(|seat| (1..=most).contains(seat));
        Ok(number.ok_or_else(|| self.wrong(&format!("a player from 1 to {players}")))? as usize - 1)
    }

    pub fn seat_or_null(&self, players: usize) -> Result<u8, Error> {
        match self.value {
            Value::Null => Ok(NO_SEAT),
            _ => Ok(self.seat(players)? as u8),
        }
    }

    /// A cell as slot; null is `NONE`.
    pub fn slot_or_null<G: Geometry>(&self) -> Result<u16, Error> {
        match self.value {
            Value::Null => Ok(NONE),
            _ => {
                let cell = parse_cell(G::BOARD, self.text()?).map_err(|reason| self.error(reason))?;
                Ok(State::<G>::slot_of(cell) as u16)
            }
        }
    }

    /// One number per player.
    pub fn per_player(&self, players: usize, most: u64) -> Result<[u16; MAX_PLAYERS], Error> {
        let items = self.items()?;
        if items.len() != players {
            return Err(self.error(format!("{} numbers: expected one for each of {players} players", items.len())));
        }
        let mut numbers = [0; MAX_PLAYERS];
        for (number, item) in numbers.iter_mut().zip(items) {
            *number = item.number(0, most)? as u16;
        }
        Ok(numbers)
    }
}
