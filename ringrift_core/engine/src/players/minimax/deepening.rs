//! Iterative deepening from the root: depth after depth until the budget is spent, each iteration ordered by the last.

use std::sync::atomic::AtomicBool;

use crate::board::Geometry;
use crate::moves::Move;
use crate::players::budget::{Budget, Meter};
use crate::players::judge::Judge;
use crate::players::values::{Values, WON};
use crate::state::State;

use super::aim::Aim;
use super::search::{Node, Search};
use super::settings::{Settings, Variant};
use super::table::Table;

/// Depth at which a search without another bound ends: no game is decided by looking further.
const MOST_DEPTH: u32 = 100;

/// What a search found.
#[derive(Clone, PartialEq, Debug)]
pub struct Searched {
    /// The chosen move.
    pub index: usize,
    /// Values of all seats below it, in the seats above it.
    pub values: Values,
    /// What each legal move is worth to the mover, for the policy: exact for those that were the best at their time in
    /// the last iteration; for others a sensible value below the best (see `Root::settle_worths`).
    pub worths: Vec<f32>,
    /// Plies searched by the last iteration that counts.
    pub depth: u32,
    pub nodes: u64,
}

/// Searches a position with at least two legal moves. `bonuses` are added to the worth of each move, for variety; empty
/// for none. Whatever ends the search, the best move so far is returned.
pub fn search<G: Geometry, J: Judge>(
    state: &State<G>,
    legal: &[Move],
    judge: &J,
    settings: &Settings,
    budget: &Budget,
    bonuses: &[f32],
    stopped: &AtomicBool,
) -> Searched {
    let table = if settings.table { Table::new() } else { Table::none() };
    let mut search = Search::new(judge, settings, Meter::start(budget, stopped), table);
    let mut root = Root::new(state, legal, bonuses, settings.variant, judge.calibration(&state.setup).temperature);
    for depth in 1..=budget.depth.unwrap_or(MOST_DEPTH).min(MOST_DEPTH) {
        search.estimated = false;
        let done = root.iterate(&mut search, depth);
        if !done || root.is_decided() || !search.estimated {
            break;
        }
    }
    Searched {
        index: root.chosen,
        values: root.values,
        worths: root.worths,
        depth: root.depth,
        nodes: search.meter.nodes(),
    }
}

struct Root<'a, G: Geometry> {
    state: &'a State<G>,
    legal: &'a [Move],
    bonuses: &'a [f32],
    aim: Aim,
    /// Moves in the order of trying them.
    order: Vec<usize>,
    worths: Vec<f32>,
    /// How far each move was behind the best when it was last known exactly.
    behind: Vec<f32>,
    chosen: usize,
    values: Values,
    depth: u32,
    /// The least that a refuted move is held to be behind.
    step: f32,
}

/// A move tried in an iteration.
struct Tried {
    index: usize,
    /// To the mover; if not `exact`, it is at most this.
    worth: f32,
    exact: bool,
    values: Values,
}

impl<'a, G: Geometry> Root<'a, G> {
    fn new(state: &'a State<G>, legal: &'a [Move], bonuses: &'a [f32], variant: Variant, step: f32) -> Self {
        let hero = |replied| Aim::Hero { hero: state.mover(), replied };
        let aim = match variant {
            _ if state.players() == 2 => hero(None),
            Variant::MaxN => Aim::Own,
            Variant::Paranoid => hero(None),
            Variant::BestReply => hero(Some(false)),
        };
        Root {
            state,
            legal,
            bonuses,
            aim,
            order: (0..legal.len()).collect(),
            worths: vec![0.0; legal.len()],
            behind: vec![0.0; legal.len()],
            chosen: 0,
            values: Values::default(),
            depth: 0,
            step,
        }
    }

    fn bonus(&self, index: usize) -> f32 {
        self.bonuses.get(index).copied().unwrap_or(0.0)
    }

    /// One iteration; false if the budget ended it. What it found counts if it got beyond the best move of the last one.
    fn iterate<J: Judge>(&mut self, search: &mut Search<'_, G, J>, depth: u32) -> bool {
        let mover = self.state.mover();
        let mut tried: Vec<Tried> = Vec::with_capacity(self.legal.len());
        let mut most = f32::NEG_INFINITY;
        search.sight.approach(self.state, 1);
        for index in self.order.clone() {
            if search.meter.is_spent() {
                break;
            }
            // The first iteration is so cheap that every move gets its exact value, which later ones fall back on. Below
            // a bound of a win or more every loss would count as a refutation.
            let low =
                if depth == 1 { f32::NEG_INFINITY } else { (most - self.bonus(index)).min(WON * (1.0 - f32::EPSILON)) };
            let node = Node { aim: self.aim, ply: 0, depth, alpha: low, beta: f32::INFINITY };
            let values = search.below(self.state, Some(self.legal[index]), node);
            // A subtree that was cut short has no value; a single position has one.
            if search.meter.is_spent() && depth > 1 {
                break;
            }
            let worth = values[mover];
            tried.push(Tried { index, worth, exact: worth > low, values });
            most = most.max(worth + self.bonus(index));
            if worth >= WON {
                break;
            }
        }
        self.adopt(&tried, depth);
        !search.meter.is_spent()
    }

    fn adopt(&mut self, tried: &[Tried], depth: u32) {
        let total = |one: &Tried| one.worth + self.bonus(one.index);
        let exact = tried.iter().filter(|one| one.exact);
        let Some(best) = exact.reduce(|best, one| if total(one) > total(best) { one } else { best }) else { return };
        self.values = best.values;
        if best.worth <= -WON && depth > 1 {
            // Everything loses: the last iteration's choice is the one that takes longest to refute.
            self.worths.fill(best.worth);
            return;
        }
        (self.chosen, self.depth) = (best.index, depth);
        self.settle_worths(tried, best.worth);
        let mut order = std::mem::take(&mut self.order);
        order.sort_by(|one, other| {
            (*other == self.chosen).cmp(&(*one == self.chosen)).then(self.worths[*other].total_cmp(&self.worths[*one]))
        });
        self.order = order;
    }

    /// The worth of each move by this iteration. A refuted move has only an upper bound, often just below the best: it is
    /// taken to be as far behind as when it was last known exactly, and at least one step of the policy's temperature.
    fn settle_worths(&mut self, tried: &[Tried], best: f32) {
        let untried = if self.depth == 1 && tried.len() < self.legal.len() {
            // With too little budget for every move once, the others are not known at all.
            best - WON
        } else {
            f32::INFINITY
        };
        let mut bounds = vec![(untried, false); self.legal.len()];
        for one in tried {
            bounds[one.index] = (one.worth, one.exact);
            if one.exact {
                self.behind[one.index] = (best - one.worth).max(0.0);
            }
        }
        for ((worth, behind), (bound, exact)) in self.worths.iter_mut().zip(&self.behind).zip(bounds) {
            let guess = best - behind.max(self.step);
            *worth = if exact { bound } else { bound.min(guess) };
        }
    }

    /// Is the game won or lost whatever the others do? In max^n a loss may rest on what others were thought to want.
    fn is_decided(&self) -> bool {
        let worth = self.values[self.state.mover()];
        worth >= WON || worth <= -WON && self.aim != Aim::Own
    }
}
