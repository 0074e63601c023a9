//! Boards (R001-R003): shapes, cells, slots, directions, and the numbers that depend on the board.
//!
//! A *cell* is a dense index 0..N, rows first (ascending y, then x): what moves and callers use.
//! A *slot* is the bit of a cell in a bit set. Slots are laid out so that every direction is one constant offset; the
//! padding between rows keeps steps over the edge from landing on a cell.

use crate::bits::{Bits, Words};

/// The four boards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Board {
    Square8,
    Square19,
    Hex8,
    Hexagonal,
}

/// Most cells on any board.
pub const MAX_CELLS: usize = 469;
/// Most slots on any board.
pub const MAX_SLOTS: usize = 704;
/// Most players.
pub const MAX_PLAYERS: usize = 4;
/// "No cell" and "no slot".
pub(crate) const NONE: u16 = u16::MAX;

impl Board {
    /// All boards, smallest first.
    pub const ALL: [Board; 4] = [Board::Square8, Board::Hex8, Board::Square19, Board::Hexagonal];

    /// The name used in traces and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Board::Square8 => "square8",
            Board::Square19 => "square19",
            Board::Hex8 => "hex8",
            Board::Hexagonal => "hexagonal",
        }
    }

    /// The board of that name.
    pub fn from_name(name: &str) -> Option<Board> {
        Board::ALL.into_iter().find(|board| board.name() == name)
    }

    /// Has the board six directions instead of eight?
    pub const fn is_hex(self) -> bool {
        matches!(self, Board::Hex8 | Board::Hexagonal)
    }

    /// Side of a square board; diameter (2 radius + 1) of a hexagon. Also the side of the square array that holds it.
    pub const fn size(self) -> usize {
        match self {
            Board::Square8 => 8,
            Board::Square19 => 19,
            Board::Hex8 => 9,
            Board::Hexagonal => 25,
        }
    }

    /// Radius of a hexagon; 0 for squares, whose coordinates start at 0.
    pub const fn radius(self) -> i32 {
        match self {
            Board::Square8 | Board::Square19 => 0,
            Board::Hex8 => 4,
            Board::Hexagonal => 12,
        }
    }

    /// Number of cells N.
    pub const fn cells(self) -> usize {
        match self {
            Board::Square8 => 64,
            Board::Square19 => 361,
            Board::Hex8 => 61,
            Board::Hexagonal => 469,
        }
    }

    /// Rings per player Q.
    pub const fn rings_per_player(self) -> u32 {
        match self {
            Board::Square8 | Board::Hex8 => 18,
            Board::Square19 => 72,
            Board::Hexagonal => 96,
        }
    }

    /// Line length L (R120): 3 on the small boards with 3 or 4 players, else 4.
    pub const fn line_length(self, players: usize) -> usize {
        match self {
            Board::Square8 | Board::Hex8 if players > 2 => 3,
            _ => 4,
        }
    }

    /// Elimination target E* (R061).
    pub const fn elimination_target(self, players: usize) -> u32 {
        self.rings_per_player() * (players as u32 + 1) / 3
    }

    /// Territory minimum T* (R062).
    pub const fn territory_minimum(self, players: usize) -> u32 {
        (self.cells() / players) as u32 + 1
    }

    /// Number of move directions: 8 or 6. Directions `0..axes` are the line axes of rules.md section 1 in order, direction
    /// `d + axes` is opposite to `d`.
    pub const fn directions(self) -> usize {
        if self.is_hex() {
            6
        } else {
            8
        }
    }

    /// Territory neighbours of a corner cell, which has the fewest: 2 on squares, 3 on hexagons.
    pub const fn territory_neighbours_of_a_corner(self) -> u32 {
        if self.is_hex() {
            3
        } else {
            2
        }
    }

    /// Number of line axes: 4 or 3.
    pub const fn axes(self) -> usize {
        self.directions() / 2
    }

    /// (dx, dy) of a direction.
    pub const fn direction(self, direction: usize) -> (i32, i32) {
        let axes = self.axes();
        let (dx, dy) = if self.is_hex() {
            [(1, 0), (1, -1), (0, -1)][direction % axes]
        } else {
            [(1, 0), (0, 1), (1, 1), (1, -1)][direction % axes]
        };
        if direction < axes {
            (dx, dy)
        } else {
            (-dx, -dy)
        }
    }

    /// Is (x, y) on the board?
    pub const fn contains(self, x: i32, y: i32) -> bool {
        let size = self.size() as i32;
        let radius = self.radius();
        if self.is_hex() {
            let z = -x - y;
            -radius <= x && x <= radius && -radius <= y && y <= radius && -radius <= z && z <= radius
        } else {
            0 <= x && x < size && 0 <= y && y < size
        }
    }

    /// The cell at (x, y), if it is on the board.
    pub fn cell_at(self, x: i32, y: i32) -> Option<usize> {
        if !self.contains(x, y) {
            return None;
        }
        let tables = self.tables();
        let slot = (y + self.radius()) as usize * self.stride() + (x + self.radius()) as usize;
        Some(tables.cell_of[slot] as usize)
    }

    /// (x, y) of a cell.
    pub fn coordinates(self, cell: usize) -> (i32, i32) {
        let tables = self.tables();
        let slot = tables.slot_of[cell] as usize;
        (tables.x[slot] as i32, tables.y[slot] as i32)
    }

    /// Slots per row.
    pub(crate) const fn stride(self) -> usize {
        match self {
            Board::Square8 => 8,
            _ => self.size() + 1,
        }
    }

    /// The precomputed tables of the board.
    pub(crate) fn tables(self) -> &'static Tables {
        match self {
            Board::Square8 => Square8::tables(),
            Board::Square19 => Square19::tables(),
            Board::Hex8 => Hex8::tables(),
            Board::Hexagonal => Hexagonal::tables(),
        }
    }
}

/// Per-board look-up tables, built at compile time.
pub struct Tables {
    /// Slot of each cell.
    pub slot_of: [u16; MAX_CELLS],
    /// Cell of each slot; `NONE` in the padding.
    pub cell_of: [u16; MAX_SLOTS],
    /// Coordinates of each slot.
    pub x: [i8; MAX_SLOTS],
    pub y: [i8; MAX_SLOTS],
    /// Number of cells from each slot to the edge, by direction.
    pub ray_length: [[u8; 8]; MAX_SLOTS],
}

impl Tables {
    const fn build(board: Board) -> Tables {
        let mut tables = Tables {
            slot_of: [NONE; MAX_CELLS],
            cell_of: [NONE; MAX_SLOTS],
            x: [0; MAX_SLOTS],
            y: [0; MAX_SLOTS],
            ray_length: [[0; 8]; MAX_SLOTS],
        };
        let size = board.size() as i32;
        let radius = board.radius();
        let mut cell = 0;
        let mut row = 0;
        while row < size {
            let mut column = 0;
            while column < size {
                let (x, y) = (column - radius, row - radius);
                if board.contains(x, y) {
                    let slot = row as usize * board.stride() + column as usize;
                    tables.slot_of[cell] = slot as u16;
                    tables.cell_of[slot] = cell as u16;
                    tables.x[slot] = x as i8;
                    tables.y[slot] = y as i8;
                    let mut direction = 0;
                    while direction < board.directions() {
                        let (dx, dy) = board.direction(direction);
                        let mut length = 0;
                        while board.contains(x + dx * (length + 1), y + dy * (length + 1)) {
                            length += 1;
                        }
                        tables.ray_length[slot][direction] = length as u8;
                        direction += 1;
                    }
                    cell += 1;
                }
                column += 1;
            }
            row += 1;
        }
        tables
    }
}

/// Runs the body once for each direction of the board, with the direction as a constant: so every shift is one by a
/// constant amount.
macro_rules! for_each_direction {
    ($geometry:ty, $direction:ident => $body:block) => {
        for_each_direction!(@each $geometry, $direction, $body, 0 1 2 3 4 5 6 7)
    };
    (@each $geometry:ty, $direction:ident, $body:block, $($index:literal)*) => {
        $(if $index < <$geometry>::BOARD.directions() {
            let $direction: usize = $index;
            $body
        })*
    };
}
pub(crate) use for_each_direction;

/// A board as a type: the engine is compiled once for each.
pub trait Geometry: Copy + Send + Sync + 'static {
    const BOARD: Board;
    /// Offset of each direction between slots.
    const OFFSETS: [i32; 8];
    /// All slots that are cells.
    const CELLS: Self::Bits;

    type Bits: Bits;
    /// One packed stack per slot.
    type Stacks: Copy + AsRef<[u64]> + AsMut<[u64]> + Send + Sync;
    /// Room for every ring that can lie below the packed part of a stack.
    type Deep: Copy + AsRef<[u16]> + AsMut<[u16]> + Send + Sync;

    const NO_STACKS: Self::Stacks;
    const NO_DEEP: Self::Deep;

    fn tables() -> &'static Tables;

    /// All slots on the rays of a slot.
    fn star(slot: usize) -> &'static Self::Bits;

    /// Distance of the first slot of `blocked` on the ray; one past the edge if there is none.
    #[inline(always)]
    fn first_blocked(blocked: &Self::Bits, slot: usize, direction: usize) -> usize {
        let length = Self::tables().ray_length[slot][direction] as usize;
        let offset = Self::OFFSETS[direction];
        let mut at = slot as i32;
        for distance in 1..=length {
            at += offset;
            if blocked.has(at as usize) {
                return distance;
            }
        }
        length + 1
    }

    /// The neighbours in `direction` of all slots of `set`. May contain padding slots on boards that have padding.
    #[inline(always)]
    fn step(set: Self::Bits, direction: usize) -> Self::Bits {
        set.shift(Self::OFFSETS[direction])
    }

    /// `set` moved by (dx, dy), each at most 1 either way. May contain padding slots.
    #[inline(always)]
    fn step_by(set: Self::Bits, dx: i32, dy: i32) -> Self::Bits {
        set.shift(dy * Self::BOARD.stride() as i32 + dx)
    }

    /// `set` and its territory neighbours (4 on squares, 6 on hexagons). May contain padding slots.
    #[inline(always)]
    fn spread(set: Self::Bits) -> Self::Bits {
        let mut wider = set;
        for_each_direction!(Self, direction => {
            if Self::is_territory_direction(direction) {
                wider |= Self::step(set, direction);
            }
        });
        wider
    }

    /// Is the direction one of territory neighbourhood? On squares E, S and their opposites.
    #[inline(always)]
    fn is_territory_direction(direction: usize) -> bool {
        Self::BOARD.is_hex() || direction % 4 < 2
    }
}

const fn offsets(board: Board) -> [i32; 8] {
    let mut offsets = [0; 8];
    let mut direction = 0;
    while direction < board.directions() {
        let (dx, dy) = board.direction(direction);
        offsets[direction] = dy * board.stride() as i32 + dx;
        direction += 1;
    }
    offsets
}

/// Rings above this depth are packed in the stack word; deeper ones lie in the overflow.
pub(crate) const PACKED_RINGS: usize = 16;

const fn deep_room(board: Board) -> usize {
    board.rings_per_player() as usize * MAX_PLAYERS - PACKED_RINGS
}

/// Bits of all cells of a board, in words.
const fn cell_words<const N: usize>(board: Board) -> [u64; N] {
    let mut words = [0; N];
    let size = board.size() as i32;
    let radius = board.radius();
    let mut row = 0;
    while row < size {
        let mut column = 0;
        while column < size {
            if board.contains(column - radius, row - radius) {
                let slot = row as usize * board.stride() + column as usize;
                words[slot / 64] |= 1 << (slot % 64);
            }
            column += 1;
        }
        row += 1;
    }
    words
}

/// Bits of one ray of a slot, in words.
const fn ray_words<const N: usize>(board: Board, slot: usize, direction: usize) -> [u64; N] {
    let mut words = [0; N];
    let (x, y) = ((slot % board.stride()) as i32 - board.radius(), (slot / board.stride()) as i32 - board.radius());
    let (dx, dy) = board.direction(direction);
    let mut distance = 1;
    while board.contains(x, y) && board.contains(x + dx * distance, y + dy * distance) {
        let at = (slot as i32 + distance * (dy * board.stride() as i32 + dx)) as usize;
        words[at / 64] |= 1 << (at % 64);
        distance += 1;
    }
    words
}

/// Bits of all rays of a slot, in words.
const fn star_words<const N: usize>(board: Board, slot: usize) -> [u64; N] {
    let mut star = [0; N];
    let mut direction = 0;
    while direction < board.directions() {
        let ray = ray_words::<N>(board, slot, direction);
        let mut index = 0;
        while index < N {
            star[index] |= ray[index];
            index += 1;
        }
        direction += 1;
    }
    star
}

/// Words as the bit set of square8.
const fn one_word(words: [u64; 1]) -> u64 {
    words[0]
}

/// Words as the bit set of hex8.
const fn two_words(words: [u64; 2]) -> u128 {
    words[0] as u128 | (words[1] as u128) << 64
}

/// `first_blocked` for boards of one machine word: the ray's mask and its nearest blocked bit instead of a walk.
macro_rules! first_blocked_by_mask {
    ($name:ident, $bits:ty, $slots:expr, $join:path) => {
        #[inline(always)]
        fn first_blocked(blocked: &$bits, slot: usize, direction: usize) -> usize {
            static RAYS: [[$bits; 8]; $slots] = {
                let mut rays = [[0; 8]; $slots];
                let mut at = 0;
                while at < $slots * Board::$name.directions() {
                    rays[at % $slots][at / $slots] = $join(ray_words(Board::$name, at % $slots, at / $slots));
                    at += 1;
                }
                rays
            };
            // 256 / |offset|, rounded up: exact for all distances on a small board.
            const INVERSE: [u32; 8] = {
                let offsets = offsets(Board::$name);
                let mut inverse = [0; 8];
                let mut direction = 0;
                while direction < Board::$name.directions() {
                    inverse[direction] = 256u32.div_ceil(offsets[direction].unsigned_abs());
                    direction += 1;
                }
                inverse
            };
            let hits = RAYS[slot][direction] & blocked;
            if hits == 0 {
                return Self::tables().ray_length[slot][direction] as usize + 1;
            }
            let away = if Self::OFFSETS[direction] > 0 {
                hits.trailing_zeros() - slot as u32
            } else {
                slot as u32 + hits.leading_zeros() - (<$bits>::BITS - 1)
            };
            ((away * INVERSE[direction]) >> 8) as usize
        }
    };
}

macro_rules! geometry {
    ($name:ident, $slots:expr, $bits:ty, $join:path, { $($extra:tt)* }) => {
        #[doc = concat!("The board `Board::", stringify!($name), "` as a type.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Geometry for $name {
            const BOARD: Board = Board::$name;
            const OFFSETS: [i32; 8] = offsets(Board::$name);
            const CELLS: Self::Bits = $join(cell_words(Board::$name));
            type Bits = $bits;
            type Stacks = [u64; $slots];
            type Deep = [u16; deep_room(Board::$name)];
            const NO_STACKS: Self::Stacks = [0; $slots];
            const NO_DEEP: Self::Deep = [0; deep_room(Board::$name)];

            #[inline(always)]
            fn tables() -> &'static Tables {
                static TABLES: Tables = Tables::build(Board::$name);
                &TABLES
            }

            #[inline(always)]
            fn star(slot: usize) -> &'static Self::Bits {
                static STARS: [$bits; $slots] = {
                    let mut stars = [<$bits as Bits>::EMPTY; $slots];
                    let mut slot = 0;
                    while slot < $slots {
                        stars[slot] = $join(star_words(Board::$name, slot));
                        slot += 1;
                    }
                    stars
                };
                &STARS[slot]
            }

            $($extra)*
        }
    };
}

geometry!(Square8, 64, u64, one_word, {
    first_blocked_by_mask!(Square8, u64, 64, one_word);

    /// Rows have no padding here: steps over the left or right edge are masked away.
    #[inline(always)]
    fn step(set: u64, direction: usize) -> u64 {
        let (dx, dy) = Self::BOARD.direction(direction);
        Self::step_by(set, dx, dy)
    }

    #[inline(always)]
    fn step_by(set: u64, dx: i32, dy: i32) -> u64 {
        const FIRST_FILE: u64 = 0x0101_0101_0101_0101;
        let moved = set.shift(8 * dy + dx);
        match dx {
            1 => moved & !FIRST_FILE,
            -1 => moved & !(FIRST_FILE << 7),
            _ => moved,
        }
    }
});
geometry!(Square19, 379, Words<6>, Words, {});
geometry!(Hex8, 89, u128, two_words, {
    first_blocked_by_mask!(Hex8, u128, 89, two_words);
});
geometry!(Hexagonal, 649, Words<11>, Words, {});
