//! States to and from JSON: the STATE of traces/FORMAT.md, and its fuller form with `turn` and `game`.

mod field;
mod read;
mod write;

pub(crate) use read::parse_board;
