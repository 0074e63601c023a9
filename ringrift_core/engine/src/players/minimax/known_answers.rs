//! The search against answers that are known by other means: plain minimax, brute force, proofs of forced wins.

use std::sync::atomic::{AtomicBool, Ordering as Atomic};
use std::time::{Duration, Instant};

use crate::board::{Board, Geometry, Hex8, Square8};
use crate::moves::{Move, MoveKind, MoveList};
use crate::players::budget::{Budget, Meter};
use crate::players::completion::{complete_turn, is_settling};
use crate::players::judge::Sight;
use crate::players::linear::{self, Linear};
use crate::players::values::{across, decided_values, won_by, Values, WON};
use crate::playout::Random;
use crate::rng::{stream, Purpose};
use crate::setup::{Profile, Setup};
use crate::state::State;

use super::aim::Aim;
use super::ordering::Ordering;
use super::quiescence::{may_be_forced, UNPROVEN};
use super::search::{settle, Node, Search};
use super::settings::{Settings, Variant};
use super::table::Table;
use super::{search, Searched};

pub(super) static NEVER: AtomicBool = AtomicBool::new(false);

pub(super) fn setup(board: Board, players: usize) -> Setup {
    Setup::new(board, players, Profile::Canonical).expect("playable").with_swap(players == 2)
}

pub(super) fn settings(variant: Variant) -> Settings {
    Settings { variant, ..Settings::BEST }
}

/// Every feature counts, those at 0 in the hand-set weights too.
pub(super) fn judge() -> Linear {
    let baseline = linear::setting("baseline").expect("documented");
    Linear { weights: std::array::from_fn(|index| baseline[index] + 0.25 + 0.01 * index as f32) }
}

/// The positions of a random game in which somebody has a choice.
pub(super) fn positions<G: Geometry>(setup: Setup, seed: u64, game: u64) -> Vec<State<G>> {
    let mut random = stream(seed, Purpose::Playout, game);
    let mut state = State::<G>::new(setup);
    let (mut list, mut met) = (MoveList::new(), Vec::new());
    loop {
        state.legal_moves(&mut list);
        match list.len() {
            0 => return met,
            1 => {}
            _ if decided_values(&state).is_none() => met.push(state),
            _ => {}
        }
        state.apply(list[random.below(list.len())]);
    }
}

pub(super) fn legal<G: Geometry>(state: &State<G>) -> MoveList {
    let mut list = MoveList::new();
    state.legal_moves(&mut list);
    list
}

pub(super) fn hero_aim<G: Geometry>(state: &State<G>, settings: &Settings) -> Aim {
    let hero = |replied| Aim::Hero { hero: state.mover(), replied };
    match settings.variant {
        _ if state.players() == 2 => hero(None),
        Variant::MaxN => Aim::Own,
        Variant::Paranoid => hero(None),
        Variant::BestReply => hero(Some(false)),
    }
}

/// Minimax by its definition: every move of every position, nothing remembered, nothing pruned.
pub(super) struct Plain {
    judge: Linear,
    settings: Settings,
    left: u64,
}

impl Plain {
    /// None where the search would take too long for a test.
    fn solve<G: Geometry>(
        judge: &Linear,
        settings: &Settings,
        state: &State<G>,
        depth: u32,
        most_nodes: u64,
    ) -> Option<Values> {
        let mut plain = Plain { judge: *judge, settings: *settings, left: most_nodes };
        plain.best(state, hero_aim(state, settings), depth)
    }

    /// The same after one move.
    pub(super) fn solve_move<G: Geometry>(
        judge: &Linear,
        settings: &Settings,
        state: &State<G>,
        one: Move,
        depth: u32,
        most_nodes: u64,
    ) -> Option<Values> {
        let mut plain = Plain { judge: *judge, settings: *settings, left: most_nodes };
        plain.after(state, Some(one), hero_aim(state, settings), depth)
    }

    fn spend(&mut self, nodes: u64) -> Option<()> {
        self.left = self.left.checked_sub(nodes)?;
        Some(())
    }

    fn best<G: Geometry>(&mut self, state: &State<G>, aim: Aim, depth: u32) -> Option<Values> {
        let mut best: Option<Values> = None;
        let passes = aim.may_pass(state).then_some(None);
        for one in legal(state).iter().copied().map(Some).chain(passes) {
            let values = self.after(state, one, aim, depth)?;
            let mover = state.mover();
            if best.is_none_or(|best| aim.worth(&values, mover) > aim.worth(&best, mover)) {
                best = Some(values);
            }
        }
        best.map(|best| win_or(best, state.mover(), state.players(), aim))
    }

    fn after<G: Geometry>(&mut self, state: &State<G>, one: Option<Move>, aim: Aim, depth: u32) -> Option<Values> {
        self.spend(1)?;
        let (mut after, mut aim) = (*state, aim);
        match one {
            Some(one) => {
                aim = aim.below(state, one);
                after.apply(one);
            }
            None => after.pass_turn(),
        }
        let values = if depth == 1 {
            self.completed(&after, aim, self.settings.settling_plies)?
        } else {
            settle(&mut after, &mut aim, &mut MoveList::new());
            match decided_values(&after) {
                Some(values) => values,
                None => self.best(&after, aim, depth - 1)?,
            }
        };
        Some(one.map_or(values, |one| across(one, values)))
    }

    /// The value of the completed turn; forced moves after it are played as well, and turns begun by them completed.
    fn completed<G: Geometry>(&mut self, state: &State<G>, aim: Aim, plies: u32) -> Option<Values> {
        let mut state = *state;
        let mut turn = state.turn.number;
        let mut careless = Vec::new();
        loop {
            let (list, seat) = (legal(&state), state.mover());
            let settling = is_settling(state.phase) && state.turn.number == turn;
            if list.len() == 1 && (settling || may_be_forced(&state)) {
                turn = state.turn.number;
                state.apply(list[0]);
            } else if !settling || decided_values(&state).is_some() {
                let values = Sight::of(&self.judge).values(&state, 0);
                let unproven =
                    decided_values(&state).is_some() && careless.iter().any(|seat: &usize| values[*seat] < WON);
                return Some(if unproven { values.map(|value| value * UNPROVEN) } else { values });
            } else if plies == 0 {
                careless.push(seat);
                self.spend(complete_turn(&mut state, &mut Sight::of(&self.judge), 0, &mut MoveList::new()))?;
            } else {
                let mut best: Option<Values> = None;
                for one in list.iter() {
                    self.spend(1)?;
                    let mut after = state;
                    after.apply(*one);
                    let values = self.completed(&after, aim, plies - 1)?;
                    if best.is_none_or(|best| aim.worth(&values, seat) > aim.worth(&best, seat)) {
                        best = Some(values);
                    }
                }
                return best.map(|best| win_or(best, seat, state.players(), aim));
            }
        }
    }
}

/// In max^n a win is a win, whoever comes second.
fn win_or(best: Values, mover: usize, players: usize, aim: Aim) -> Values {
    if aim == Aim::Own && best[mover] >= WON {
        won_by(mover, players)
    } else {
        best
    }
}

fn to_depth<G: Geometry>(state: &State<G>, settings: &Settings, depth: u32) -> Searched {
    search(state, &legal(state), &judge(), settings, &Budget::of_depth(depth), &[], &NEVER)
}

/// Compares fixed depths with plain minimax, on every `stride`th position; returns how many were small enough.
fn compare_with_plain<G: Geometry>(players: usize, variant: Variant, games: u64, stride: usize) -> usize {
    let mut orderings = vec![Ordering::NONE];
    orderings.extend(Ordering::SWITCHED.map(|(_, ordering)| ordering));
    let mut compared = 0;
    for game in 0..games {
        let all = positions::<G>(setup(G::BOARD, players), 21, game);
        for (number, state) in all.iter().skip(game as usize % stride).step_by(stride).enumerate() {
            let mut varied = settings(variant);
            varied.settling_plies = (number as u32 + game as u32) % 3;
            for depth in 1..=4 {
                let Some(plain) = Plain::solve(&judge(), &varied, state, depth, 4_000) else { break };
                varied.ordering = Ordering::BEST;
                varied.table = true;
                let found = to_depth(state, &varied, depth);
                let mover = state.mover();
                assert_eq!(found.values[mover], plain[mover], "game {game}, position {number}, depth {depth}");
                varied.ordering = orderings[(number + depth as usize) % orderings.len()];
                varied.table = !number.is_multiple_of(2);
                let found = to_depth(state, &varied, depth);
                assert_eq!(found.values[mover], plain[mover], "{varied:?}");
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn alpha_beta_finds_the_value_of_plain_minimax() {
    let compared = compare_with_plain::<Square8>(2, Variant::Paranoid, 40, 2)
        + compare_with_plain::<Hex8>(2, Variant::Paranoid, 40, 2);
    assert!(compared > 2_000, "{compared}");
}

#[test]
fn the_searches_of_three_and_four_players_find_the_value_of_plain_minimax() {
    for variant in Variant::ALL {
        let compared = compare_with_plain::<Square8>(3, variant, 12, 3) + compare_with_plain::<Hex8>(4, variant, 12, 3);
        assert!(compared > 500, "{variant:?}: {compared}");
    }
}

/// Exact values by trying everything to the end; None where that takes more than `left` nodes.
fn brute_force<G: Geometry>(state: &State<G>, left: &mut u64) -> Option<Values> {
    *left = left.checked_sub(1)?;
    if let Some(values) = decided_values(state) {
        return Some(values);
    }
    let (list, mover) = (legal(state), state.mover());
    let mut best: Option<Values> = None;
    for one in list.iter() {
        let mut after = *state;
        after.apply(*one);
        let values = across(*one, brute_force(&after, left)?);
        if best.is_none_or(|best| values[mover] > best[mover]) {
            best = Some(values);
        }
    }
    best.map(|best| if list.len() > 1 { win_or(best, mover, state.players(), Aim::Own) } else { best })
}

/// Searches late positions without a bound; returns how many were small enough to be solved by brute force.
fn compare_with_brute_force<G: Geometry>(players: usize, games: u64) -> usize {
    let settings = settings(Variant::MaxN);
    let mut solved = 0;
    for game in 0..games {
        for state in positions::<G>(setup(G::BOARD, players), 31, game).iter().rev() {
            let Some(exact) = brute_force(state, &mut 2_000) else { break };
            let found = search(state, &legal(state), &judge(), &settings, &Budget::default(), &[], &NEVER);
            assert_eq!(found.values[state.mover()], exact[state.mover()], "game {game}");
            solved += 1;
        }
    }
    solved
}

#[test]
fn small_endgames_are_solved_exactly() {
    let solved = compare_with_brute_force::<Square8>(2, 1_500) + compare_with_brute_force::<Hex8>(2, 1_500);
    assert!(solved > 2_000, "two players: {solved}");
    let solved = compare_with_brute_force::<Square8>(3, 1_000) + compare_with_brute_force::<Hex8>(3, 1_000);
    assert!(solved > 1_000, "three players: {solved}");
}

/// The proof of a forced win by brute force.
#[derive(Clone, Copy)]
struct Proof {
    seat: usize,
    /// Turns of the winner, the current one included, and plies of everybody.
    turns: u32,
    plies: u32,
}

impl Proof {
    /// Can the agent at `seat` force a win within these bounds? None: that takes more than `left` nodes to tell.
    fn holds<G: Geometry>(self, state: &State<G>, left: &mut u64) -> Option<bool> {
        *left = left.checked_sub(1)?;
        if let Some(values) = decided_values(state) {
            return Some(values[self.seat] >= WON);
        }
        let (own, list) = (state.mover() == self.seat, legal(state));
        let choice = (list.len() > 1) as u32;
        if self.turns == 0 || self.plies < choice {
            return Some(false);
        }
        for one in list.iter() {
            let mut after = *state;
            after.apply(*one);
            let over = own && after.turn.number > state.turn.number;
            let rest = Proof { turns: self.turns - over as u32, plies: self.plies - choice, ..self };
            if rest.holds(&after, left)? == own {
                return Some(own);
            }
        }
        Some(!own)
    }

    /// The fewest turns, at most five, in which `state` is won within so many plies.
    fn fewest_turns<G: Geometry>(state: &State<G>, plies: u32, most_nodes: u64) -> Option<u32> {
        for turns in 1..=5 {
            if (Proof { seat: state.mover(), turns, plies }).holds(state, &mut most_nodes.clone())? {
                return Some(turns);
            }
        }
        None
    }
}

/// Plays a found win against any defence: it must stay found until the game is over.
fn carry_out<G: Geometry>(mut state: State<G>, first: usize, settings: &Settings, depth: u32, random: &mut Random) {
    let seat = state.mover();
    state.apply(legal(&state)[first]);
    while state.outcome().is_none() {
        let list = legal(&state);
        let index = match list.len() {
            1 => 0,
            _ if state.mover() != seat => random.below(list.len()),
            _ => {
                let found = to_depth(&state, settings, depth);
                assert!(found.values[seat] >= WON, "a win is thrown away: {found:?}");
                found.index
            }
        };
        state.apply(list[index]);
    }
    assert_eq!(state.outcome().map(|outcome| outcome.winner), Some(seat));
}

#[test]
fn forced_wins_in_one_to_five_turns_are_found() {
    // Enough for the longest of these wins: one of fewer plies may take more turns.
    const PLIES: u32 = 11;
    /// Positions to be solved, by turns. Random games seldom come near a long forced win.
    const WANTED: [usize; 5] = [300, 300, 50, 10, 1];
    let settings = settings(Variant::Paranoid);
    let mut solved = [0; 5];
    for game in 0..2_000 {
        for state in positions::<Hex8>(setup(Board::Hex8, 2), 41, game).iter().rev().take(40) {
            let seat = state.mover();
            let Some(turns) = Proof::fewest_turns(state, PLIES, 5_000) else { continue };
            if solved[turns as usize - 1] >= WANTED[turns as usize - 1] {
                continue;
            }
            solved[turns as usize - 1] += 1;
            let found = to_depth(state, &settings, PLIES);
            assert!(found.values[seat] >= WON, "game {game}: a win in {turns} turns is missed: {found:?}");
            carry_out(*state, found.index, &settings, PLIES + 4, &mut stream(42, Purpose::Playout, game));
        }
        if solved == WANTED {
            return;
        }
    }
    panic!("too few positions with forced wins in 1 to 5 turns: {solved:?}");
}

#[test]
fn the_same_node_budget_gives_the_same_search() {
    for (players, variant) in (2..=4).flat_map(|players| Variant::ALL.map(|variant| (players, variant))) {
        let settings = settings(variant);
        for state in positions::<Square8>(setup(Board::Square8, players), 51, 0).iter().step_by(9) {
            for nodes in [1, 10, 100, 3_000] {
                let list = legal(state);
                let once = || search(state, &list, &judge(), &settings, &Budget::of_nodes(nodes), &[], &NEVER);
                let (first, second) = (once(), once());
                assert_eq!(first, second);
                assert!(first.nodes >= nodes || first.values[state.mover()].abs() >= WON || first.depth > 3);
                // Only a completion that is under way is finished beyond the budget.
                assert!(first.nodes < nodes + 500, "{} of {nodes}", first.nodes);
            }
        }
    }
}

/// Values after one move, searched to a depth without any window.
pub(super) fn after_move<G: Geometry>(
    judge: &Linear,
    state: &State<G>,
    settings: &Settings,
    one: Move,
    depth: u32,
) -> Values {
    let meter = Meter::start(&Budget::default(), &NEVER);
    let mut search = Search::new(judge, settings, meter, Table::new());
    let aim = hero_aim(state, settings);
    search.below(state, Some(one), Node { aim, ply: 0, depth, alpha: f32::NEG_INFINITY, beta: f32::INFINITY })
}

#[test]
fn whatever_ends_a_search_the_chosen_move_has_its_value_at_the_depth_reached() {
    let mut cut_short = 0;
    let searches = Variant::ALL.map(|variant| (3, variant)).into_iter().chain([(2, Variant::BEST)]);
    for (players, variant) in searches {
        let settings = settings(variant);
        for state in positions::<Hex8>(setup(Board::Hex8, players), 81, 0).iter().step_by(6) {
            for nodes in [300, 1_000, 3_000] {
                let (list, mover) = (legal(state), state.mover());
                let found = search(state, &list, &judge(), &settings, &Budget::of_nodes(nodes), &[], &NEVER);
                if found.depth == 1 || found.values[mover].abs() >= WON {
                    continue;
                }
                let exact = after_move(&judge(), state, &settings, list[found.index], found.depth);
                assert_eq!(found.values[mover], exact[mover], "{nodes} nodes, {found:?}");
                cut_short += (found.nodes >= nodes) as usize;
            }
        }
    }
    assert!(cut_short > 50, "{cut_short}");
}

#[test]
fn a_swap_is_worth_the_other_seat_at_any_depth() {
    let settings = settings(Variant::Paranoid);
    let mut offered = 0;
    for game in 0..40 {
        for state in positions::<Hex8>(setup(Board::Hex8, 2), 91, game).iter().take(6) {
            let list = legal(state);
            let Some(swap) = list.iter().position(|one| one.kind() == MoveKind::SwapSides) else { continue };
            offered += 1;
            assert_eq!(
                after_move(&judge(), state, &settings, list[swap], 1)[1],
                Sight::of(&judge()).values(state, 0)[0]
            );
            // Below the swap seat 2 moves in the same position, which the swapper, now at seat 1, hopes goes badly.
            for depth in 1..=2 {
                let others = list.iter().filter(|one| one.kind() != MoveKind::SwapSides);
                let worst = others
                    .map(|one| after_move(&judge(), state, &settings, *one, depth)[0])
                    .fold(f32::INFINITY, f32::min);
                let swapped = after_move(&judge(), state, &settings, list[swap], depth + 1)[1];
                assert!((swapped - worst).abs() < 1e-4, "{swapped} for {worst}");
            }
        }
    }
    assert!(offered >= 30, "{offered}");
}

#[test]
fn an_unfinished_first_iteration_returns_the_best_so_far() {
    let settings = settings(Variant::Paranoid);
    for state in positions::<Square8>(setup(Board::Square8, 2), 61, 0).iter().step_by(5) {
        let list = legal(state);
        let whole = to_depth(state, &settings, 1);
        for nodes in [1, 3, 8] {
            let found = search(state, &list, &judge(), &settings, &Budget::of_nodes(nodes), &[], &NEVER);
            assert!(found.index < list.len() && found.worths.iter().all(|worth| worth.is_finite()));
            if whole.worths[found.index] < WON && found.nodes == nodes && (nodes as usize) < list.len() {
                let tried = &found.worths[..nodes as usize];
                assert!(found.worths[found.index] >= *tried.last().expect("some move was tried"));
            }
        }
        let stopped = search(state, &list, &judge(), &settings, &Budget::default(), &[], &AtomicBool::new(true));
        assert_eq!((stopped.index, stopped.nodes), (0, 0));
    }
}

#[test]
fn a_stopped_search_returns_at_once_with_the_best_so_far() {
    let searches = Variant::ALL.map(|variant| (3, variant)).into_iter().chain([(2, Variant::BEST)]);
    for (players, variant) in searches {
        let settings = settings(variant);
        let state = State::<Square8>::new(setup(Board::Square8, players));
        let list = legal(&state);
        for milliseconds in [1, 5, 20, 60] {
            let stopped = AtomicBool::new(false);
            let (found, waited) = std::thread::scope(|scope| {
                let searching =
                    scope.spawn(|| search(&state, &list, &judge(), &settings, &Budget::default(), &[], &stopped));
                std::thread::sleep(Duration::from_millis(milliseconds));
                let asked = Instant::now();
                stopped.store(true, Atomic::Relaxed);
                (searching.join().expect("no panic"), asked.elapsed())
            });
            // A generous bound for a busy machine: a search that did not listen would go on for years.
            assert!(waited < Duration::from_secs(5));
            if found.depth > 0 {
                // What was cut short does not count: the choice has the value that an undisturbed search gives it.
                let exact = after_move(&judge(), &state, &settings, list[found.index], found.depth);
                assert_eq!(found.values[state.mover()], exact[state.mover()], "{variant:?}: {found:?}");
            }
        }
    }
}

#[test]
fn a_bonus_decides_between_moves_and_never_over_a_win() {
    let settings = settings(Variant::Paranoid);
    for state in positions::<Hex8>(setup(Board::Hex8, 2), 71, 0).iter().rev().step_by(7) {
        let list = legal(state);
        let favoured = list.len() / 2;
        let mut bonuses = vec![0.0; list.len()];
        bonuses[favoured] = 100.0;
        let found = search(state, &list, &judge(), &settings, &Budget::of_depth(2), &bonuses, &NEVER);
        let plain = to_depth(state, &settings, 2);
        if plain.values[state.mover()].abs() < WON && found.worths[favoured] > -WON {
            assert_eq!(found.index, favoured);
        } else if plain.values[state.mover()] >= WON {
            assert_eq!(found.values[state.mover()], WON);
        }
    }
}
