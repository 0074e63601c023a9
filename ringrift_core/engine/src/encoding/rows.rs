//! Recorded games as rows of a dataset: packed inputs, who won in the end, and what searches found.

use half::f16;
use rayon::prelude::*;

use super::bitmaps::{self, pack, pack_owners};
use super::frame::Frame;
use super::policy::keys;
use super::{exact, globals, Shape};
use crate::board::Geometry;
use crate::error::Error;
use crate::moves::{MoveKind, MoveList};
use crate::players::values::Values;
use crate::playout::Random;
use crate::records::game::starting_seat;
use crate::records::packed;
use crate::records::replay::{replay, Replayed};
use crate::records::searched::{self, share_of_others, Searched};
use crate::rng::{split_mix, stream, Purpose};
use crate::setup::{Profile, Setup};
use crate::state::{Outcome, Phase, Reason, State};
use crate::symmetry::Symmetry;

/// A recorded game, and which of its decisions become rows.
pub struct Source {
    /// Game id (hexadecimal SHA-256).
    pub id: String,
    /// Moves in their stored form.
    pub moves: Vec<u8>,
    /// Searches in their stored form; empty where there was none.
    pub searches: Vec<u8>,
    /// Numbers of the decisions, ascending; None takes all.
    pub decisions: Option<Vec<usize>>,
}

/// How rows are made.
#[derive(Clone, Copy)]
pub struct Making {
    pub seed: u64,
    /// Random symmetries of each position, a row each, all different; 0 takes the position as it is.
    pub symmetries: usize,
    /// Is the exact state kept as well?
    pub exact_states: bool,
    /// Do the positions of trees that were stored with a decision's search become rows after it?
    pub trees: bool,
    /// Are the features of the linear heuristic kept as well?
    pub features: bool,
}

/// Rows as flat columns. `[rows, n]` columns are rotated: 0 is the seat to move.
#[derive(Default)]
pub struct Rows {
    /// `[rows, bitmaps::bytes]`
    pub planes: Vec<u8>,
    /// `[rows, G]`
    pub globals: Vec<f16>,
    /// `[rows, players]`: 1 for the seat whose agent won, equal shares when nobody did. For a position of a tree, from
    /// which no game went on, its values.
    pub outcomes: Vec<f16>,
    /// `[rows, players]`: win probabilities that a search found; NaN where there was none.
    pub values: Vec<f16>,
    /// `[rows, players, FEATURE_COUNT]`: of each seat; empty unless they are kept.
    pub features: Vec<f32>,
    /// `[rows, players]`: rings eliminated at the end of the game, as shares of those that win. NaN for a position of a tree.
    pub eliminations: Vec<f16>,
    /// `[rows, players]`: territory at the end of the game, as shares of the least that wins. NaN for a position of a tree.
    pub territories: Vec<f16>,
    /// `[rows, bitmaps::owner_bytes]`: whose territory each cell is at the end of the game.
    pub owners: Vec<u8>,
    /// `[rows]`: why the game ended, its place in `Reason::ALL` from 1; 0 when it was cut, and for a position of a tree.
    pub reasons: Vec<u8>,
    /// `[rows]`: turns from the position to the end of the game.
    pub turns_left: Vec<u16>,
    /// `[rows]`: decisions of the game, from this one on, that nobody searched for: those made at random.
    pub unsearched: Vec<u16>,
    /// `[rows]`: legal moves listed in `shares`; 0 where no search gave any.
    pub legal: Vec<u32>,
    /// Share of each legal move, row after row.
    pub shares: Vec<f16>,
    /// Number of keys of each of these moves.
    pub key_counts: Vec<u8>,
    /// Their keys, move after move.
    pub keys: Vec<u16>,
    /// `[rows]`: first 64 bits of the game's id.
    pub games: Vec<u64>,
    /// `[rows]`: number of the decision in its game.
    pub decisions: Vec<u32>,
    /// `[rows]`: moves from the decision to a position of its tree; 0 is the decision's own position.
    pub tree_moves: Vec<u16>,
    /// `[rows]`: seat to move, from 1.
    pub seats: Vec<u8>,
    /// `[rows]`: index of the symmetry in `Symmetry::all`.
    pub symmetries: Vec<u8>,
    /// `[rows]`: 1 where the board's symmetries map the position's moves onto one another, 0 where they do not.
    pub symmetric: Vec<u8>,
    /// `[rows]`: bytes of each exact state; empty unless they are kept.
    pub state_lengths: Vec<u16>,
    /// The exact states, row after row.
    pub states: Vec<u8>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.games.len()
    }

    pub fn is_empty(&self) -> bool {
        self.games.is_empty()
    }

    fn append(&mut self, mut other: Rows) {
        self.planes.append(&mut other.planes);
        self.globals.append(&mut other.globals);
        self.outcomes.append(&mut other.outcomes);
        self.values.append(&mut other.values);
        self.features.append(&mut other.features);
        self.eliminations.append(&mut other.eliminations);
        self.territories.append(&mut other.territories);
        self.owners.append(&mut other.owners);
        self.reasons.append(&mut other.reasons);
        self.turns_left.append(&mut other.turns_left);
        self.unsearched.append(&mut other.unsearched);
        self.legal.append(&mut other.legal);
        self.shares.append(&mut other.shares);
        self.key_counts.append(&mut other.key_counts);
        self.keys.append(&mut other.keys);
        self.games.append(&mut other.games);
        self.decisions.append(&mut other.decisions);
        self.tree_moves.append(&mut other.tree_moves);
        self.seats.append(&mut other.seats);
        self.symmetries.append(&mut other.symmetries);
        self.symmetric.append(&mut other.symmetric);
        self.state_lengths.append(&mut other.state_lengths);
        self.states.append(&mut other.states);
    }
}

/// The rows of some games, in their order, on the threads of the current pool.
pub fn rows_of_games<G: Geometry>(setup: Setup, games: &[Source], making: Making) -> Result<Rows, Error> {
    let parts: Result<Vec<Rows>, Error> = games
        .par_iter()
        .map(|game| rows_of_game::<G>(setup, game, making).map_err(|error| error.inside(&format!("game {}", game.id))))
        .collect();
    let mut rows = Rows::default();
    parts?.into_iter().for_each(|part| rows.append(part));
    Ok(rows)
}

/// First 64 bits of a game's id.
fn prefix_of(id: &str) -> Result<u64, Error> {
    let digits = id.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    digits.ok_or_else(|| Error::new("id", format!("{id:?}: expected a hexadecimal SHA-256")))
}

/// `wanted` of a game's `decisions`, ascending: drawn without replacement by a generator of (seed, game id).
pub fn draw_decisions(seed: u64, id: &str, decisions: usize, wanted: usize) -> Result<Vec<usize>, Error> {
    if wanted >= decisions {
        return Ok((0..decisions).collect());
    }
    let mut random = stream(seed, Purpose::Decisions, prefix_of(id)?);
    let mut chosen = sample(&mut random, decisions, wanted);
    chosen.sort_unstable();
    Ok(chosen)
}

/// `wanted` different numbers below `bound`, in random order (R. W. Floyd, 1987, shuffled by insertion).
fn sample(random: &mut Random, bound: usize, wanted: usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::with_capacity(wanted);
    for last in bound - wanted..bound {
        let drawn = random.below(last + 1);
        let number = if chosen.contains(&drawn) { last } else { drawn };
        let at = random.below(chosen.len() + 1);
        chosen.insert(at, number);
    }
    chosen
}

fn rows_of_game<G: Geometry>(setup: Setup, game: &Source, making: Making) -> Result<Rows, Error> {
    let moves = packed::from_bytes(&game.moves)?;
    let searches = searched::from_bytes(&game.searches, setup.players())?;
    if searches.windows(2).any(|pair| pair[0].decision >= pair[1].decision) {
        return Err(Error::new("searches", "expected in the order of decisions, each once"));
    }
    let mut maker = Maker {
        rows: Rows::default(),
        making,
        game: prefix_of(&game.id)?,
        before_swap: moves.iter().any(|one| one.kind() == MoveKind::SwapSides),
        afterwards: Vec::new(),
        searches: &searches,
        list: MoveList::new(),
    };
    let mut left = game.decisions.as_deref().map(|decisions| decisions.iter().copied().peekable());
    let mut fault = None;
    let replayed = replay::<G>(setup, &moves, |decision, state, one| {
        let wanted = left.as_mut().is_none_or(|left| left.next_if_eq(&decision).is_some());
        if wanted && fault.is_none() {
            fault = maker.add(decision, state).err();
        }
        maker.before_swap &= one.kind() != MoveKind::SwapSides;
    })?;
    if let Some(error) = fault {
        return Err(error);
    }
    if let Some(missing) = left.and_then(|mut left| left.next()) {
        let found = format!("{missing}: expected ascending numbers below {}", replayed.decisions);
        return Err(Error::new("decisions", found));
    }
    if let Some(searched) = searches.last().filter(|last| last.decision >= replayed.decisions) {
        let found = format!("decision {} of {}", searched.decision, replayed.decisions);
        return Err(Error::new("searches", found));
    }
    Ok(maker.finish(&replayed, &searches))
}

/// What came of a row's position.
#[derive(Clone, Copy)]
enum Afterwards {
    /// The game went on from it, and later the agents of seats 1 and 2 changed places or did not.
    Game { before_swap: bool, turn: u32 },
    /// A search looked at it.
    Nothing,
}

/// A position as it becomes a row.
#[derive(Clone, Copy)]
struct Seen<'a> {
    decision: usize,
    tree_moves: usize,
    /// Of each seat, where a search gave any.
    values: Option<&'a Values>,
    /// Of each legal move in the maker's list; empty without a policy.
    shares: &'a [f16],
    afterwards: Afterwards,
}

struct Maker<'a> {
    rows: Rows,
    making: Making,
    game: u64,
    /// Do the agents of seats 1 and 2 still change places after the position?
    before_swap: bool,
    /// Of each row.
    afterwards: Vec<Afterwards>,
    /// Those of decisions not passed yet.
    searches: &'a [Searched],
    list: MoveList,
}

impl<'a> Maker<'a> {
    fn add<G: Geometry>(&mut self, decision: usize, state: &State<G>) -> Result<(), Error> {
        let passed = self.searches.iter().take_while(|searched| (searched.decision as usize) < decision).count();
        self.searches = &self.searches[passed..];
        let searched = self.searches.first().filter(|searched| searched.decision as usize == decision);
        let shares = searched.map_or(Ok(Vec::new()), |searched| self.shares(state, searched))?;
        let afterwards = Afterwards::Game { before_swap: self.before_swap, turn: state.turn.number };
        let values = searched.map(|searched| &searched.values);
        self.add_in_symmetries(state, 0, Seen { decision, tree_moves: 0, values, shares: &shares, afterwards });
        match searched {
            Some(searched) if self.making.trees => self.add_tree(state, searched),
            _ => Ok(()),
        }
    }

    /// The positions of a search's tree that were stored with it.
    fn add_tree<G: Geometry>(&mut self, root: &State<G>, searched: &Searched) -> Result<(), Error> {
        let decision = searched.decision as usize;
        for (number, inner) in searched.inner.iter().enumerate() {
            let mut state = *root;
            for one in &inner.moves {
                state.play(*one).map_err(|error| error.inside(&format!("searches, decision {decision}, tree")))?;
            }
            let (tree_moves, values) = (inner.moves.len(), Some(&inner.values));
            let seen = Seen { decision, tree_moves, values, shares: &[], afterwards: Afterwards::Nothing };
            self.add_in_symmetries(&state, number + 1, seen);
        }
        Ok(())
    }

    /// `number`: 0 for the decision's position, then those of its tree.
    fn add_in_symmetries<G: Geometry>(&mut self, state: &State<G>, number: usize, seen: Seen<'_>) {
        for symmetry in self.draw_symmetries(seen.decision, number, state) {
            self.add_seen(state, seen, symmetry);
        }
    }

    /// The share of every legal move, in the order of `self.list`; none where the search kept no policy.
    fn shares<G: Geometry>(&mut self, state: &State<G>, searched: &Searched) -> Result<Vec<f16>, Error> {
        if searched.policy.is_empty() {
            return Ok(Vec::new());
        }
        state.legal_moves(&mut self.list);
        let others = f16::from_f32(share_of_others(&searched.policy, self.list.len()));
        let mut shares = vec![others; self.list.len()];
        for (one, share) in &searched.policy {
            let Some(index) = self.list.iter().position(|legal| legal == one) else {
                return Err(Error::new(
                    format!("searches, decision {}", searched.decision),
                    format!("{one:?} is not legal"),
                ));
            };
            shares[index] = f16::from_f32(*share);
        }
        Ok(shares)
    }

    fn draw_symmetries<G: Geometry>(&self, decision: usize, number: usize, state: &State<G>) -> Vec<usize> {
        if self.making.symmetries == 0 || !is_symmetric(state) {
            return vec![0];
        }
        let position = split_mix(self.game) ^ decision as u64 ^ (number as u64) << 32;
        let mut random = stream(self.making.seed, Purpose::Symmetries, position);
        let group = Frame::all(G::BOARD).len();
        sample(&mut random, group, self.making.symmetries.min(group))
    }

    fn add_seen<G: Geometry>(&mut self, state: &State<G>, seen: Seen<'_>, symmetry: usize) {
        let (players, frame, rows) = (state.players(), Frame::of(G::BOARD, symmetry), &mut self.rows);
        let first = rows.planes.len();
        rows.planes.resize(first + bitmaps::bytes(G::BOARD, players), 0);
        pack(state, frame, &mut rows.planes[first..]);
        let mut features = vec![0.0; Shape::of(G::BOARD, players).globals];
        globals::write(state, &mut features);
        rows.globals.extend(features.into_iter().map(f16::from_f32));
        let value = |offset: usize| match seen.values {
            Some(values) => f16::from_f32(values[(state.mover() + offset) % players]),
            None => f16::NAN,
        };
        rows.values.extend((0..players).map(value));
        if self.making.features {
            let table = state.features();
            (0..players).for_each(|offset| rows.features.extend(table[(state.mover() + offset) % players]));
        }
        rows.legal.push(seen.shares.len() as u32);
        rows.shares.extend(seen.shares);
        for one in &self.list[..seen.shares.len()] {
            let keys = keys(state, *one, frame);
            rows.key_counts.push(keys.len() as u8);
            rows.keys.extend(&*keys);
        }
        rows.games.push(self.game);
        rows.decisions.push(seen.decision as u32);
        rows.tree_moves.push(seen.tree_moves as u16);
        rows.seats.push(state.mover() as u8 + 1);
        rows.symmetries.push(symmetry as u8);
        rows.symmetric.push(u8::from(is_symmetric(state)));
        if self.making.exact_states {
            let bytes = match symmetry {
                0 => exact::to_bytes(state),
                _ => exact::to_bytes(&state.mapped(Symmetry::all(G::BOARD)[symmetry])),
            };
            rows.state_lengths.push(bytes.len() as u16);
            rows.states.extend(bytes);
        }
        self.afterwards.push(seen.afterwards);
    }

    /// What came of the game, for each row: it follows agents, as outcomes do.
    fn finish<G: Geometry>(mut self, replayed: &Replayed<G>, searches: &[Searched]) -> Rows {
        let end = &replayed.state;
        let (board, players) = (G::BOARD, end.players());
        let outcome = end.outcome();
        let (target, least) = (board.elimination_target(players) as f32, board.territory_minimum(players) as f32);
        for (row, afterwards) in self.afterwards.iter().enumerate() {
            let rows = &mut self.rows;
            let (mover, width) = (rows.seats[row] as usize - 1, bitmaps::owner_bytes(board, players));
            let first = rows.owners.len();
            rows.owners.resize(first + width, 0);
            let Afterwards::Game { before_swap, turn } = *afterwards else {
                rows.outcomes.extend(&rows.values[row * players..][..players]);
                rows.eliminations.extend(std::iter::repeat_n(f16::NAN, players));
                rows.territories.extend(std::iter::repeat_n(f16::NAN, players));
                rows.reasons.push(0);
                rows.turns_left.push(0);
                rows.unsearched.push(0);
                continue;
            };
            // By offset from the row's mover: the seat at which that seat's agent sits at the end.
            let seats: Vec<usize> =
                (0..players).map(|offset| starting_seat((mover + offset) % players, before_swap)).collect();
            for seat in &seats {
                rows.outcomes.push(f16::from_f32(match outcome {
                    Some(outcome) => f32::from(outcome.winner == *seat),
                    None => 1.0 / players as f32,
                }));
                rows.eliminations.push(f16::from_f32(f32::from(end.credited[*seat]) / target));
                rows.territories.push(f16::from_f32(f32::from(end.territory[*seat]) / least));
            }
            pack_owners(end, &seats, Frame::of(board, rows.symmetries[row] as usize), &mut rows.owners[first..]);
            let reason = |outcome: Outcome| Reason::ALL.iter().position(|reason| *reason == outcome.reason);
            rows.reasons.push(outcome.and_then(reason).map_or(0, |place| place as u8 + 1));
            rows.turns_left.push((end.turn.number - turn) as u16);
            let decision = rows.decisions[row];
            let searched = searches.iter().filter(|searched| searched.decision >= decision).count();
            rows.unsearched.push((replayed.decisions - decision) as u16 - searched as u16);
        }
        self.rows
    }
}

/// Do the symmetries of the board map the position's moves onto one another? Not in the deployed profile, and not where
/// note D12 breaks a tie by the order of axes.
pub(super) fn is_symmetric<G: Geometry>(state: &State<G>) -> bool {
    if state.setup.profile() != Profile::Canonical {
        return false;
    }
    let slides = state.phase == Phase::Movement && state.is_recovery_eligible(state.mover());
    !(slides && state.has_axis_tie())
}
