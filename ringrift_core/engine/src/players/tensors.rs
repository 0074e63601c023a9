//! Files of learned evaluations: safetensors, a length of eight bytes, a header in JSON, and numbers, lowest byte first.

use std::fmt;

use serde_json::{Map, Value};

use crate::board::Board;
use crate::error::Error;
use crate::players::calibration::Calibration;
use crate::setup::Setup;

/// The games that a network knows. Displays as `square8-2p`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Configuration {
    pub board: Board,
    pub players: usize,
}

impl Configuration {
    /// An error where games of this setup are none of them.
    pub fn check(&self, setup: &Setup) -> Result<(), Error> {
        let asked = Configuration { board: setup.board(), players: setup.players() };
        if *self == asked {
            return Ok(());
        }
        Err(Error::new("judge", format!("a network for {self}, and the game is {asked}")))
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}p", self.board.name(), self.players)
    }
}

/// What a search makes of a judge's values (`Judge`).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Units {
    pub calibration: Calibration,
    pub leaf_calibration: Calibration,
    pub noise: f32,
}

/// A file's header and its numbers.
pub struct Tensors<'a> {
    header: Map<String, Value>,
    data: &'a [u8],
}

/// A number as files have it.
pub trait Number: Sized {
    /// The name of its type in a header.
    const TYPE: &'static str;
    const BYTES: usize;

    fn of(bytes: &[u8]) -> Self;
}

macro_rules! number {
    ($number:ty, $name:literal) => {
        impl Number for $number {
            const TYPE: &'static str = $name;
            const BYTES: usize = std::mem::size_of::<$number>();

            fn of(bytes: &[u8]) -> Self {
                let mut own = [0; Self::BYTES];
                own.copy_from_slice(bytes);
                <$number>::from_le_bytes(own)
            }
        }
    };
}

number!(i16, "I16");
number!(i32, "I32");
number!(f32, "F32");

impl<'a> Tensors<'a> {
    /// A file's content; an error when it is no safetensors.
    pub fn read(content: &'a [u8]) -> Result<Tensors<'a>, Error> {
        let none = |reason: &str| Error::new("file", format!("no safetensors: {reason}"));
        let (length, rest) = content.split_first_chunk::<8>().ok_or_else(|| none("shorter than 8 bytes"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > rest.len() {
            return Err(none("its header is longer than the file"));
        }
        let (header, data) = rest.split_at(length);
        let header: Value = serde_json::from_slice(header).map_err(|error| none(&format!("its header: {error}")))?;
        match header {
            Value::Object(header) => Ok(Tensors { header, data }),
            _ => Err(none("its header is no object")),
        }
    }

    /// A text of the file's metadata.
    pub fn text(&self, name: &str) -> Result<&str, Error> {
        let found = self.header.get("__metadata__").and_then(|metadata| metadata.get(name)).and_then(Value::as_str);
        found.ok_or_else(|| Error::new(format!("__metadata__.{name}"), "missing"))
    }

    /// An error unless the metadata has just this text.
    pub fn expect(&self, name: &str, wanted: &str) -> Result<(), Error> {
        let found = self.text(name)?;
        if found == wanted {
            return Ok(());
        }
        Err(Error::new(format!("__metadata__.{name}"), format!("{found:?}, this engine reads {wanted:?}")))
    }

    /// A positive number of the metadata.
    fn positive(&self, name: &str) -> Result<f32, Error> {
        let text = self.text(name)?;
        let number = text.parse().ok().filter(|number: &f32| number.is_finite() && *number > 0.0);
        number.ok_or_else(|| Error::new(format!("__metadata__.{name}"), format!("{text:?} is no positive number")))
    }

    /// The games that the file is for.
    pub fn configuration(&self) -> Result<Configuration, Error> {
        let (board, players) = (self.text("board")?, self.text("players")?);
        let unknown = || Error::new("__metadata__.board", format!("{board:?} is no board"));
        let board = Board::from_name(board).ok_or_else(unknown)?;
        match players {
            "2" | "3" | "4" => Ok(Configuration { board, players: usize::from(players.as_bytes()[0] - b'0') }),
            _ => Err(Error::new("__metadata__.players", format!("{players:?}: a game has 2, 3 or 4 players"))),
        }
    }

    /// What a search makes of the judge's values.
    pub fn units(&self) -> Result<Units, Error> {
        Ok(Units {
            calibration: Calibration { scale: self.positive("scale")?, temperature: self.positive("temperature")? },
            leaf_calibration: Calibration {
                scale: self.positive("leaf_scale")?,
                temperature: self.positive("leaf_temperature")?,
            },
            noise: self.positive("noise_unit")?,
        })
    }

    /// All numbers of a tensor, which must have this shape.
    pub fn numbers<N: Number>(&self, name: &str, shape: &[usize]) -> Result<Vec<N>, Error> {
        let tensor = self.header.get(name).ok_or_else(|| Error::new(name, "missing"))?;
        let of = |key: &str| tensor.get(key).unwrap_or(&Value::Null);
        let (found_type, found_shape) = (of("dtype"), of("shape"));
        if *found_type != *N::TYPE || *found_shape != Value::from(shape) {
            let found = format!("{found_type} {found_shape}, expected {:?} {shape:?}", N::TYPE);
            return Err(Error::new(name, found));
        }
        let bytes = match of("data_offsets").as_array().map(Vec::as_slice) {
            Some([first, last]) => {
                let place = |number: &Value| number.as_u64().and_then(|number| usize::try_from(number).ok());
                place(first).zip(place(last)).and_then(|(first, last)| self.data.get(first..last))
            }
            _ => None,
        };
        let wanted = shape.iter().product::<usize>() * N::BYTES;
        match bytes.filter(|bytes| bytes.len() == wanted) {
            Some(bytes) => Ok(bytes.chunks_exact(N::BYTES).map(N::of).collect()),
            None => Err(Error::new(name, format!("its {wanted} bytes are not where the header says"))),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A tensor's name, type, shape and bytes.
    pub type Tensor = (&'static str, &'static str, Vec<usize>, Vec<u8>);

    /// A file of a kind of network, all of whose units are a half.
    pub fn file(kind: &str, configuration: Configuration, tensors: &[Tensor]) -> Vec<u8> {
        let Configuration { board, players } = configuration;
        let mut metadata = serde_json::json!({
            "kind": kind, "format": "1", "inputs": "1", "board": board.name(), "players": players.to_string(),
        });
        for unit in ["scale", "temperature", "leaf_scale", "leaf_temperature", "noise_unit"] {
            metadata[unit] = "0.5".into();
        }
        with_metadata(metadata, tensors)
    }

    fn with_metadata(metadata: Value, tensors: &[Tensor]) -> Vec<u8> {
        let (mut header, mut data) = (Map::new(), Vec::new());
        header.insert("__metadata__".into(), metadata);
        for (name, kind, shape, bytes) in tensors {
            let first = data.len();
            data.extend(bytes);
            let entry = serde_json::json!({"dtype": kind, "shape": shape, "data_offsets": [first, data.len()]});
            header.insert(name.to_string(), entry);
        }
        let header = Value::Object(header).to_string();
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
    }

    fn refusal<T>(found: Result<T, Error>) -> String {
        found.err().map_or(String::new(), |error| error.to_string())
    }

    #[test]
    fn bytes_that_are_no_safetensors_are_refused() {
        let sentence = |content: &[u8]| refusal(Tensors::read(content));
        assert_eq!(sentence(b"short"), "file: no safetensors: shorter than 8 bytes");
        assert_eq!(sentence(&[255; 9]), "file: no safetensors: its header is longer than the file");
        assert_eq!(sentence(b"\x02\0\0\0\0\0\0\0[]"), "file: no safetensors: its header is no object");
        assert!(sentence(b"\x01\0\0\0\0\0\0\0{").starts_with("file: no safetensors: its header: EOF"));
    }

    #[test]
    fn metadata_that_this_engine_cannot_use_is_named() {
        let here = Configuration { board: Board::Hex8, players: 3 };
        let whole = file("any", here, &[]);
        let read = Tensors::read(&whole).expect("safetensors");
        assert_eq!(read.configuration(), Ok(here));
        assert_eq!(read.units().map(|units| units.noise), Ok(0.5));
        assert_eq!(refusal(read.text("author")), "__metadata__.author: missing");
        for (name, wrong, sentence) in [
            ("board", "chess", "__metadata__.board: \"chess\" is no board"),
            ("players", "5", "__metadata__.players: \"5\": a game has 2, 3 or 4 players"),
            ("scale", "0", "__metadata__.scale: \"0\" is no positive number"),
            ("noise_unit", "nan", "__metadata__.noise_unit: \"nan\" is no positive number"),
        ] {
            let mut metadata = read.header["__metadata__"].clone();
            metadata[name] = wrong.into();
            let content = with_metadata(metadata, &[]);
            let other = Tensors::read(&content).expect("safetensors");
            assert_eq!(refusal(other.configuration()) + &refusal(other.units()), sentence);
        }
    }

    #[test]
    fn numbers_are_read_where_the_header_says_or_refused() {
        let here = Configuration { board: Board::Hex8, players: 3 };
        let numbers: Vec<u8> = [-1.5f32, 0.25].iter().flat_map(|number| number.to_le_bytes()).collect();
        let content = file("any", here, &[("filler", "I16", vec![1], vec![1, 0]), ("some", "F32", vec![2], numbers)]);
        let read = Tensors::read(&content).expect("safetensors");
        assert_eq!(read.numbers("some", &[2]), Ok(vec![-1.5f32, 0.25]));
        assert_eq!(read.numbers("filler", &[1]), Ok(vec![1i16]));
        assert_eq!(refusal(read.numbers::<f32>("none", &[2])), "none: missing");
        assert_eq!(refusal(read.numbers::<i16>("some", &[2])), "some: \"F32\" [2], expected \"I16\" [2]");
        let short = Tensors::read(&content[..content.len() - 1]).expect("safetensors");
        assert_eq!(refusal(short.numbers::<f32>("some", &[2])), "some: its 8 bytes are not where the header says");
    }
}
