//! The planes of a position in as few bits as are exact, as datasets store them.
//!
//! Maps of one bit a real cell follow one another without gaps, lowest bit first; a count takes as many maps as its
//! largest value has binary digits, lowest digit first. What follows from other maps (heights, the cells of the board)
//! is left out. `unpack` gives exactly what `planes::write` would have.

use super::frame::{relative, Frame};
use super::planes::{self, Stack, RING_SCALE};
use crate::bits::Bits;
use crate::board::{Board, Geometry};
use crate::state::State;

/// First map of each group.
struct Maps {
    players: usize,
    cells: usize,
    /// Binary digits of a count of rings of one colour.
    digits: usize,
}

impl Maps {
    const fn of(board: Board, players: usize) -> Maps {
        Maps { players, cells: board.cells(), digits: (u32::BITS - board.rings_per_player().leading_zeros()) as usize }
    }

    const fn controlled(&self, seat: usize) -> usize {
        seat
    }
    const fn heir(&self, seat: usize) -> usize {
        self.players + seat
    }
    const fn marker(&self, seat: usize) -> usize {
        2 * self.players + seat
    }
    const fn collapsed(&self, seat: usize) -> usize {
        3 * self.players + seat
    }
    const fn acting(&self) -> usize {
        4 * self.players
    }
    const fn claimable(&self) -> usize {
        4 * self.players + 1
    }
    const fn cap(&self) -> usize {
        4 * self.players + 2
    }
    const fn heir_cap(&self) -> usize {
        self.cap() + self.digits
    }
    const fn rings(&self, seat: usize) -> usize {
        self.cap() + (2 + seat) * self.digits
    }
    const fn count(&self) -> usize {
        self.rings(self.players)
    }
    const fn bytes(&self) -> usize {
        (self.count() * self.cells).div_ceil(8)
    }

    #[inline(always)]
    fn set(&self, bytes: &mut [u8], map: usize, cell: usize) {
        let bit = map * self.cells + cell;
        bytes[bit / 8] |= 1 << (bit % 8);
    }

    #[inline(always)]
    fn set_count(&self, bytes: &mut [u8], first: usize, cell: usize, mut count: usize) {
        let mut map = first;
        while count > 0 {
            if count & 1 != 0 {
                self.set(bytes, map, cell);
            }
            count >>= 1;
            map += 1;
        }
    }

    /// Calls `visit` with every cell of a map.
    #[inline(always)]
    fn for_each(&self, bytes: &[u8], map: usize, mut visit: impl FnMut(usize)) {
        let (first, end) = (map * self.cells, (map + 1) * self.cells);
        let mut bit = first;
        while bit < end {
            // The rest of this byte at once: most are 0.
            let mut byte = bytes[bit / 8] >> (bit % 8);
            let next = (bit / 8 + 1) * 8;
            while byte != 0 {
                let at = bit + byte.trailing_zeros() as usize;
                if at >= end {
                    break;
                }
                visit(at - first);
                byte &= byte - 1;
            }
            bit = next;
        }
    }

    #[inline(always)]
    fn for_each_digit(&self, bytes: &[u8], first: usize, mut visit: impl FnMut(usize, usize)) {
        for digit in 0..self.digits {
            self.for_each(bytes, first + digit, |cell| visit(cell, 1 << digit));
        }
    }
}

/// Bytes of one position's packed planes.
pub const fn bytes(board: Board, players: usize) -> usize {
    Maps::of(board, players).bytes()
}

/// Packs the planes of a position as seen through a frame. `bytes` must be zeroed and of the right length.
pub fn pack<G: Geometry>(state: &State<G>, frame: &Frame, bytes: &mut [u8]) {
    let maps = Maps::of(G::BOARD, state.players());
    for seat in 0..state.players() {
        let offset = relative(state, seat);
        state.controlled[seat].for_each(|slot| {
            let cell = frame.cell(slot);
            let stack = Stack::at(state, slot);
            maps.set(bytes, maps.controlled(offset), cell);
            maps.set_count(bytes, maps.cap(), cell, stack.cap);
            for (colour, rings) in stack.rings[..state.players()].iter().enumerate() {
                maps.set_count(bytes, maps.rings(relative(state, colour)), cell, *rings as usize);
            }
            if let Some((heir, cap)) = stack.heir {
                maps.set(bytes, maps.heir(relative(state, heir)), cell);
                maps.set_count(bytes, maps.heir_cap(), cell, cap);
            }
        });
        state.markers[seat].for_each(|slot| maps.set(bytes, maps.marker(offset), frame.cell(slot)));
        state.collapsed[seat].for_each(|slot| maps.set(bytes, maps.collapsed(offset), frame.cell(slot)));
    }
    if let Some(slot) = planes::acting(state) {
        maps.set(bytes, maps.acting(), frame.cell(slot));
    }
    planes::claimable(state).for_each(|slot| maps.set(bytes, maps.claimable(), frame.cell(slot)));
}

/// Bytes of the maps of one position's final owners: one for each seat.
pub const fn owner_bytes(board: Board, players: usize) -> usize {
    (players * board.cells()).div_ceil(8)
}

/// Packs whose territory each cell is: map `offset` is that of `seats[offset]`. `bytes` must be zeroed and of the right length.
pub fn pack_owners<G: Geometry>(state: &State<G>, seats: &[usize], frame: &Frame, bytes: &mut [u8]) {
    let maps = Maps::of(G::BOARD, state.players());
    for (offset, seat) in seats.iter().enumerate() {
        state.collapsed[*seat].for_each(|slot| maps.set(bytes, offset, frame.cell(slot)));
    }
}

/// What it takes to unpack positions of one configuration.
pub struct Unpacker {
    maps: Maps,
    /// Place of each cell in the square array.
    pixels: Vec<usize>,
    area: usize,
}

impl Unpacker {
    pub fn of(board: Board, players: usize) -> Unpacker {
        Unpacker::seen_through(Frame::identity(board), board, players)
    }

    /// For positions that come out as seen through a symmetry of the board, whatever they were packed through.
    pub fn seen_through(frame: &Frame, board: Board, players: usize) -> Unpacker {
        let slots = &board.tables().slot_of;
        let pixels = (0..board.cells()).map(|cell| frame.pixel(slots[cell] as usize)).collect();
        Unpacker { maps: Maps::of(board, players), pixels, area: board.size() * board.size() }
    }

    /// Writes the planes `[players, H, W]` of packed owners; `planes` must be zeroed.
    pub fn unpack_owners(&self, bytes: &[u8], planes: &mut [f32]) {
        for seat in 0..self.maps.players {
            self.maps.for_each(bytes, seat, |cell| planes[seat * self.area + self.pixels[cell]] = 1.0);
        }
    }

    /// Writes the planes `[C, H, W]` of packed ones; `planes` must be zeroed. Any bytes of the right length give planes.
    pub fn unpack(&self, bytes: &[u8], planes: &mut [f32]) {
        let (maps, area, players) = (&self.maps, self.area, self.maps.players);
        let first = |seat: usize, plane: usize| (seat * planes::SEAT_PLANES + plane) * area;
        let board = |plane: usize| (players * planes::SEAT_PLANES + plane) * area;
        let mut rings = vec![0usize; maps.cells];
        let (mut caps, mut heir_caps) = (rings.clone(), rings.clone());
        for seat in 0..players {
            let plane = first(seat, planes::RINGS);
            maps.for_each_digit(bytes, maps.rings(seat), |cell, digit| {
                rings[cell] += digit;
                planes[plane + self.pixels[cell]] += digit as f32 / RING_SCALE;
            });
            for (map, plane) in [(maps.marker(seat), planes::MARKER), (maps.collapsed(seat), planes::COLLAPSED)] {
                maps.for_each(bytes, map, |cell| planes[first(seat, plane) + self.pixels[cell]] = 1.0);
            }
        }
        maps.for_each_digit(bytes, maps.cap(), |cell, digit| caps[cell] += digit);
        maps.for_each_digit(bytes, maps.heir_cap(), |cell, digit| heir_caps[cell] += digit);
        for seat in 0..players {
            maps.for_each(bytes, maps.controlled(seat), |cell| {
                let at = self.pixels[cell];
                planes[first(seat, planes::CONTROLLED) + at] = 1.0;
                planes[first(seat, planes::HEIGHT) + at] = rings[cell] as f32 / RING_SCALE;
                planes[first(seat, planes::CAP) + at] = caps[cell] as f32 / RING_SCALE;
            });
            maps.for_each(bytes, maps.heir(seat), |cell| {
                planes[first(seat, planes::HEIR_CAP) + self.pixels[cell]] = heir_caps[cell] as f32 / RING_SCALE;
            });
        }
        self.pixels.iter().for_each(|at| planes[board(planes::CELLS) + at] = 1.0);
        maps.for_each(bytes, maps.acting(), |cell| planes[board(planes::ACTING) + self.pixels[cell]] = 1.0);
        maps.for_each(bytes, maps.claimable(), |cell| planes[board(planes::CLAIMABLE) + self.pixels[cell]] = 1.0);
    }
}
