//! Minimax with the linear evaluation: alpha-beta for two players; max^n, paranoid and best-reply search for three and four.
//!
//! Values are one per seat and never negated by ply: one seat decides several times in a row. What a decision is worth to
//! whom is said by an `Aim`, which `swap_sides` passes on to the seat where the agent then sits. Start at
//! `deepening::search`.

mod aim;
mod alpha_beta;
pub mod deepening;
#[cfg(test)]
mod known_answers;
mod max_n;
pub mod ordering;
mod quiescence;
mod table;
#[cfg(test)]
mod windows;

use crate::board::Geometry;
use crate::moves::{Move, MoveList};
use crate::players::budget::Meter;
use crate::players::heuristic::{self, Values, Weights};
use crate::state::State;
use aim::Aim;
use ordering::{Memory, Ordering};
use quiescence::Rest;
use table::Table;

pub use deepening::{search, Searched};

/// How seats are thought to play. With two players there is nothing to choose: every variant is alpha-beta.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// Every seat does the best for itself (Luckhardt and Irani 1986). Values of three and more seats cannot be bounded by
    /// one another tightly enough to prune, but for wins.
    MaxN,
    /// All others play against the searching seat, by alpha-beta (Sturtevant and Korf 2000).
    Paranoid,
    /// Between two turns of the searching seat one opponent, the worst for it, has a turn, and the others pass (Schadd and
    /// Winands 2011): more of its own turns within the same depth.
    BestReply,
}

impl Variant {
    pub const ALL: [Variant; 3] = [Variant::MaxN, Variant::Paranoid, Variant::BestReply];

    pub const fn name(self) -> &'static str {
        match self {
            Variant::MaxN => "max_n",
            Variant::Paranoid => "paranoid",
            Variant::BestReply => "best_reply",
        }
    }

    pub fn from_name(name: &str) -> Option<Variant> {
        Variant::ALL.into_iter().find(|variant| variant.name() == name)
    }

    /// First with three and with four players, by little: benchmarks/search/README.md has the table.
    pub const BEST: Variant = Variant::BestReply;
}

/// What is searched with, whatever the budget.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    pub weights: Weights,
    pub variant: Variant,
    pub ordering: Ordering,
    /// Remember positions that come up again.
    pub table: bool,
    /// Decisions of a turn's completion that are searched in full before the rest is settled greedily.
    pub settling_plies: u32,
}

/// Decisions of a completion searched in full: what a capture leads to, and the payment or the choice after it. Chains of
/// captures on the large boards branch too much for more.
const SETTLING_PLIES: u32 = 2;

impl Settings {
    /// The settings that measured best.
    pub fn new(weights: Weights) -> Settings {
        Settings {
            weights,
            variant: Variant::BEST,
            ordering: Ordering::BEST,
            table: true,
            settling_plies: SETTLING_PLIES,
        }
    }
}

/// The state of one search.
struct Search<'a, G: Geometry> {
    settings: &'a Settings,
    meter: Meter<'a>,
    table: Table,
    memory: Memory,
    /// Buffers of each ply, those of the completion below it included.
    frames: Vec<Frame>,
    /// Was a position valued by the evaluation since this was last cleared? If not, the search saw every game to its end.
    estimated: bool,
    board: std::marker::PhantomData<G>,
}

/// Buffers of one ply.
#[derive(Default)]
struct Frame {
    /// The legal moves.
    list: MoveList,
    /// Ranks of moves, and which moves they are of: the part still to be tried is sorted as far as needed.
    ranks: Vec<f32>,
    order: Vec<u16>,
}

impl<'a, G: Geometry> Search<'a, G> {
    fn new(settings: &'a Settings, meter: Meter<'a>, table: Table) -> Self {
        let board = std::marker::PhantomData;
        Search { settings, meter, table, memory: Memory::new(), frames: Vec::new(), estimated: false, board }
    }

    /// The buffers of a ply, to be given back by `put_back`.
    fn take_frame(&mut self, ply: usize) -> Frame {
        while self.frames.len() <= ply {
            self.frames.push(Frame::default());
        }
        std::mem::take(&mut self.frames[ply])
    }

    fn put_back(&mut self, ply: usize, frame: Frame) {
        self.frames[ply] = frame;
    }

    /// Values after a move (None: a pass), in the seats before it, searched `depth - 1` plies on.
    fn below(&mut self, state: &State<G>, one: Option<Move>, node: Node) -> Values {
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
            match (heuristic::decided_values(&after), aim) {
                (Some(values), _) => values,
                (None, Aim::Own) => self.max_n(&after, below),
                (None, Aim::Hero { .. }) => self.alpha_beta(&after, below),
            }
        };
        one.map_or(values, |one| heuristic::across(one, values))
    }
}

/// Where in the tree a position is searched, and how.
#[derive(Clone, Copy)]
struct Node {
    aim: Aim,
    /// Decisions from the root.
    ply: usize,
    /// Plies left, at least 1.
    depth: u32,
    /// Values of the hero outside of this window need not be exact.
    alpha: f32,
    beta: f32,
}

/// Plays forced moves, until somebody has a choice, which `list` then holds, or the game is over. In best-reply search
/// opponents that must pass do so here.
fn settle<G: Geometry>(state: &mut State<G>, aim: &mut Aim, list: &mut MoveList) {
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
