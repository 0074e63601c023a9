//! One search under way, and the step from a position to those below it.

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::budget::Meter;
use crate::players::judge::{Judge, Sight};
use crate::players::values::{self, Values};
use crate::state::State;

use super::aim::Aim;
use super::ordering::Memory;
use super::settings::Settings;
use super::table::Table;

/// The state of one search.
pub(super) struct Search<'a, G: Geometry, J: Judge> {
    pub sight: Sight<'a, G, J>,
    pub settings: &'a Settings,
    pub meter: Meter<'a>,
    pub table: Table,
    pub memory: Memory,
    /// Buffers of each ply, those of the completion below it included.
    frames: Vec<Frame>,
    /// Was a position valued by the evaluation since this was last cleared? If not, the search saw every game to its end.
    pub estimated: bool,
}

/// Buffers of one ply.
#[derive(Default)]
pub(super) struct Frame {
    /// The legal moves.
    pub list: MoveList,
    /// Ranks of moves, and which moves they are of: the part still to be tried is sorted as far as needed.
    pub ranks: Vec<f32>,
    pub order: Vec<u16>,
}

impl<'a, G: Geometry, J: Judge> Search<'a, G, J> {
    pub fn new(judge: &'a J, settings: &'a Settings, meter: Meter<'a>, table: Table) -> Self {
        let sight = Sight::of(judge);
        Search { sight, settings, meter, table, memory: Memory::new(), frames: Vec::new(), estimated: false }
    }

    /// The buffers of a ply, to be given back by `put_back`.
    pub fn take_frame(&mut self, ply: usize) -> Frame {
        while self.frames.len() <= ply {
            self.frames.push(Frame::default());
        }
        std::mem::take(&mut self.frames[ply])
    }

    pub fn put_back(&mut self, ply: usize, frame: Frame) {
        self.frames[ply] = frame;
    }

    /// Values after a move (None: a pass), in the seats before it, searched `depth - 1` plies on.
    pub fn below(&mut self, state: &State<G>, one: Option<Move>, node: Node) -> Values {
        let mut after = *state;
        let mut aim = node.aim;
        match one {
            Some(one) => {
                aim = aim.below(state, one);
                after.apply(one);
            }
            None => after.pass_turn(),
        }
        self.meter.count_node();
        let ply = node.ply + 1;
        let values = if node.depth <= 1 {
            let Node { alpha, beta, .. } = node;
            self.at_rest(after, Rest { aim, alpha, beta, left: self.settings.settling_plies, ply })
        } else {
            let mut frame = self.take_frame(ply);
            settle(&mut after, &mut aim, &mut frame.list);
            self.put_back(ply, frame);
            let below = Node { aim, ply, depth: node.depth - 1, ..node };
            match (values::decided_values(&after), aim) {
                (Some(values), _) => values,
                (None, Aim::Own) => self.max_n(&after, below),
                (None, Aim::Hero { .. }) => self.alpha_beta(&after, below),
            }
        };
        one.map_or(values, |one| values::across(one, values))
    }
}

/// Where in the tree a position is searched, and how.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub aim: Aim,
    /// Decisions from the root.
    pub ply: usize,
    /// Plies left, at least 1.
    pub depth: u32,
    /// Values of the hero outside of this window need not be exact.
    pub alpha: f32,
    pub beta: f32,
}

/// How far a completion is searched.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    pub aim: Aim,
    /// Values of the hero outside of this window need not be exact.
    pub alpha: f32,
    pub beta: f32,
    /// Decisions searched in full; later ones are taken greedily.
    pub left: u32,
    pub ply: usize,
}

/// Plays forced moves, until somebody has a choice, which `list` then holds, or the game is over. In best-reply search
/// opponents that must pass do so here.
pub(super) fn settle<G: Geometry>(state: &mut State<G>, aim: &mut Aim, list: &mut MoveList) {
    loop {
        if aim.passes(state) {
            state.pass_turn();
            continue;
        }
        state.legal_moves(list);
        let [only] = list[..] else { return };
        if aim.may_pass(state) {
            return;
        }
        *aim = aim.below(state, only);
        state.apply(only);
    }
}
