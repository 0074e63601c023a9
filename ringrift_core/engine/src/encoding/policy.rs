//! Legal-move scoring: the network gives a number to each of a fixed set of keys, and a move's logit is the sum of the
//! numbers of its keys. No two legal moves of a position have the same keys.
//!
//! A plain move is told by where it lands and from which direction: going back from there, its stack is the first one
//! met; a capture's stack is the second. So (landing, direction, kind) is as good as (from, direction, distance) and
//! takes a fifth of the planes on the large boards. The key at the origin, and a capture's at its target, tell nothing
//! apart: they let the network judge both ends of a ray where they are. docs/encoding.md lists all planes.

use std::ops::Deref;
use std::sync::OnceLock;

use super::frame::{pixel_of_cell, relative, Frame};
use crate::bits::Bits;
use crate::board::{Board, Geometry, MAX_SLOTS};
use crate::moves::{Move, MoveKind, NO_CELL};
use crate::rays;
use crate::state::State;
use crate::symmetry::Symmetry;

/// Most keys of a move; only a region's can be more than three.
pub const MOST_KEYS: usize = 12;

/// Keys after those of the planes, one for each move without a place.
pub const GLOBAL_KEYS: usize = 5;

/// Number of planes of the policy output.
pub const fn planes(board: Board, players: usize) -> usize {
    Layout::of(board, players).planes
}

/// First plane of each group; those of `directions` planes hold one for each direction.
struct Layout {
    directions: usize,
    area: usize,
    place: usize,
    depart: usize,
    land: usize,
    capture: usize,
    target: usize,
    line_end: usize,
    segment_end: usize,
    slide: usize,
    pay_ring: usize,
    pay_cap: usize,
    extract: usize,
    region: usize,
    planes: usize,
}

impl Layout {
    const fn of(board: Board, players: usize) -> Layout {
        let directions = board.directions();
        let depart = 3;
        let land = depart + directions;
        let capture = land + directions;
        let target = capture + directions;
        let line_end = target + 1;
        let segment_end = line_end + directions;
        let slide = segment_end + directions;
        let pay_ring = slide + directions;
        Layout {
            directions,
            area: board.size() * board.size(),
            place: 0,
            depart,
            land,
            capture,
            target,
            line_end,
            segment_end,
            slide,
            pay_ring,
            pay_cap: pay_ring + 1,
            extract: pay_ring + 2,
            region: pay_ring + 3,
            planes: pay_ring + 3 + players + 1,
        }
    }
}

/// The keys of a move, ascending: places in the policy output.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Keys {
    keys: [u16; MOST_KEYS],
    len: u8,
}

impl Keys {
    const NONE: Keys = Keys { keys: [0; MOST_KEYS], len: 0 };

    fn of<const N: usize>(keys: [usize; N]) -> Keys {
        let mut all = Keys::NONE;
        keys.into_iter().for_each(|key| all.push(key));
        all.sorted()
    }

    fn push(&mut self, key: usize) {
        self.keys[self.len as usize] = key as u16;
        self.len += 1;
    }

    fn sorted(mut self) -> Keys {
        self.keys[..self.len as usize].sort_unstable();
        self
    }

    /// The move's logit, from a row of the network's policy output.
    #[inline]
    pub fn logit(&self, policy: &[f32]) -> f32 {
        self.iter().map(|key| policy[*key as usize]).sum()
    }
}

impl Deref for Keys {
    type Target = [u16];
    fn deref(&self) -> &[u16] {
        &self.keys[..self.len as usize]
    }
}

/// The keys of a legal move, as seen through a frame. Bookkeeping moves, which are always the only legal one, have none.
pub fn keys<G: Geometry>(state: &State<G>, one: Move, frame: &Frame) -> Keys {
    Namer { state, frame, layout: Layout::of(G::BOARD, state.players()) }.keys(one)
}

/// Where keys come to lie when what they name is seen through a symmetry.
pub struct KeyMap {
    /// Image of each plane, and of each place in the square array.
    planes: Vec<u16>,
    pixels: Vec<u16>,
    area: usize,
}

impl KeyMap {
    pub fn of(board: Board, players: usize, frame: &Frame) -> KeyMap {
        let layout = Layout::of(board, players);
        let mut planes: Vec<u16> = (0..layout.planes as u16).collect();
        for group in [layout.depart, layout.land, layout.capture, layout.line_end, layout.segment_end, layout.slide] {
            for direction in 0..layout.directions {
                planes[group + direction] = (group + frame.direction(direction)) as u16;
            }
        }
        let mut pixels: Vec<u16> = (0..layout.area as u16).collect();
        for cell in 0..board.cells() {
            let slot = board.tables().slot_of[cell] as usize;
            pixels[pixel_of_cell(board, cell)] = frame.pixel(slot) as u16;
        }
        KeyMap { planes, pixels, area: layout.area }
    }

    /// The image of a key; one of a move without a place is its own.
    #[inline]
    pub fn key(&self, key: u16) -> u16 {
        let (plane, pixel) = (key as usize / self.area, key as usize % self.area);
        match self.planes.get(plane) {
            Some(image) => image * self.area as u16 + self.pixels[pixel],
            None => key,
        }
    }
}

struct Namer<'a, G: Geometry> {
    state: &'a State<G>,
    frame: &'a Frame,
    layout: Layout,
}

impl<G: Geometry> Namer<'_, G> {
    fn keys(&self, one: Move) -> Keys {
        let layout = &self.layout;
        let slot = |cell: usize| State::<G>::slot_of(cell);
        match one.kind() {
            MoveKind::PlaceRing => Keys::of([self.at(layout.place + one.b() - 1, slot(one.a()))]),
            MoveKind::MoveStack => Keys::of(self.ray(slot(one.a()), slot(one.b()), layout.land)),
            MoveKind::OvertakingCapture | MoveKind::ContinueCaptureSegment => {
                let [origin, landing] = self.ray(slot(one.a()), slot(one.b()), layout.capture);
                Keys::of([origin, landing, self.at(layout.target, slot(one.c()))])
            }
            MoveKind::RecoveryLine | MoveKind::RecoveryFallback | MoveKind::RecoveryStrike => {
                let slide = self.slide(slot(one.a()), slot(one.b()));
                match one.c() {
                    NO_CELL => Keys::of([slide]),
                    payer => Keys::of([slide, self.at(layout.extract, slot(payer))]),
                }
            }
            MoveKind::RecoverySegment => self.recovery_segment(slot(one.a()), slot(one.b()), one.c()),
            MoveKind::ProcessLine | MoveKind::ChooseWholeLine => {
                let run = State::<G>::run_through(&self.state.markers[self.state.mover()], slot(one.a()), one.b());
                Keys::of(self.ends(layout.line_end, run.start, run.axis, run.length))
            }
            MoveKind::ChooseLineSegment => {
                Keys::of(self.ends(layout.segment_end, slot(one.a()), one.b(), self.state.line_length()))
            }
            MoveKind::EliminateForLine => Keys::of([self.at(layout.pay_ring, slot(one.a()))]),
            MoveKind::EliminateForTerritory | MoveKind::ForcedElimination => {
                Keys::of([self.at(layout.pay_cap, slot(one.a()))])
            }
            MoveKind::EliminateForRecovery => Keys::of([self.at(layout.extract, slot(one.a()))]),
            MoveKind::ChooseTerritoryOption => self.region(slot(one.a()), one.b()),
            MoveKind::SkipPlacement => self.global(0),
            MoveKind::SkipCapture => self.global(1),
            MoveKind::SkipRecovery => self.global(2),
            MoveKind::SkipTerritoryProcessing => self.global(3),
            MoveKind::SwapSides => self.global(4),
            MoveKind::NoPlacementAction
            | MoveKind::NoMovementAction
            | MoveKind::NoLineAction
            | MoveKind::NoTerritoryAction => Keys::NONE,
        }
    }

    #[inline(always)]
    fn at(&self, plane: usize, slot: usize) -> usize {
        plane * self.layout.area + self.frame.pixel(slot)
    }

    /// A key of the group's plane for a direction.
    #[inline(always)]
    fn towards(&self, group: usize, direction: usize, slot: usize) -> usize {
        self.at(group + self.frame.direction(direction), slot)
    }

    fn global(&self, index: usize) -> Keys {
        Keys::of([self.layout.planes * self.layout.area + index])
    }

    /// The origin's key and the landing's, both in the direction of travel.
    fn ray(&self, from: usize, to: usize, landing: usize) -> [usize; 2] {
        let (direction, _) = rays::between::<G>(from, to);
        [self.towards(self.layout.depart, direction, from), self.towards(landing, direction, to)]
    }

    fn slide(&self, from: usize, to: usize) -> usize {
        let (direction, _) = rays::between::<G>(from, to);
        self.towards(self.layout.slide, direction, from)
    }

    /// Both ends of some cells in a row, each with the direction towards the other: no end comes first in a mirror.
    fn ends(&self, group: usize, start: usize, axis: usize, length: usize) -> [usize; 2] {
        let end = rays::at::<G>(start, axis, length - 1);
        [self.towards(group, axis, start), self.towards(group, axis + self.layout.directions / 2, end)]
    }

    fn recovery_segment(&self, from: usize, to: usize, first: usize) -> Keys {
        let slide = self.slide(from, to);
        match self.state.slide_line(from, to) {
            Some(run) => {
                let start = rays::at::<G>(run.start, run.axis, first);
                let [one, other] = self.ends(self.layout.segment_end, start, run.axis, self.state.line_length());
                Keys::of([slide, one, other])
            }
            None => Keys::of([slide]),
        }
    }

    /// The region's cells nearest to the centre, all that a symmetry could exchange: regions of one label are disjoint.
    fn region(&self, smallest: usize, label: usize) -> Keys {
        let plane = self.layout.region + if label == 0 { 0 } else { 1 + relative(self.state, label - 1) };
        let rank = orbits(G::BOARD);
        let (mut least, mut keys) = (u16::MAX, Keys::NONE);
        self.state.region_of(smallest, label).for_each(|slot| {
            if rank[slot] < least {
                (least, keys) = (rank[slot], Keys::NONE);
            }
            if rank[slot] == least {
                keys.push(self.at(plane, slot));
            }
        });
        keys.sorted()
    }
}

/// Rank of each slot: equal for cells that symmetries map to one another, lowest at the centre of the board.
fn orbits(board: Board) -> &'static [u16; MAX_SLOTS] {
    static ORBITS: [OnceLock<[u16; MAX_SLOTS]>; Board::ALL.len()] = [const { OnceLock::new() }; Board::ALL.len()];
    ORBITS[board as usize].get_or_init(|| {
        let symmetries = Symmetry::all(board);
        let orbit = |cell: usize| {
            let (x, y) = board.coordinates(cell);
            let least = symmetries.iter().map(|symmetry| pixel_of_cell(board, symmetry.cell(cell))).min();
            (distance_from_centre(board, x, y), least)
        };
        let mut known: Vec<_> = (0..board.cells()).map(orbit).collect();
        known.sort_unstable();
        known.dedup();
        let mut ranks = [u16::MAX; MAX_SLOTS];
        for cell in 0..board.cells() {
            let rank = known.partition_point(|other| *other < orbit(cell));
            ranks[board.tables().slot_of[cell] as usize] = rank as u16;
        }
        ranks
    })
}

/// A measure of the distance from the centre that every symmetry keeps.
fn distance_from_centre(board: Board, x: i32, y: i32) -> i32 {
    if board.is_hex() {
        return x * x + y * y + x * y;
    }
    let middle = board.size() as i32 - 1;
    (2 * x - middle).pow(2) + (2 * y - middle).pow(2)
}
