//! States to and from JSON: the STATE of docs/trace-format.md, and its fuller form with `turn` and `game`.

mod field;
mod read;
mod write;

pub(crate) use read::parse_board;
