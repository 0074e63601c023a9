//! The features of the linear heuristic: what each seat has on the board, normalised by the board's size.
//!
//! Counts become comparable over boards by four scales: Q rings per player, the targets E* and T* (rules.md section 1),
//! N cells, and N/8 (a rank of square8) for things that are few even there.

use crate::bits::Bits;
use crate::board::{Geometry, MAX_PLAYERS};
use crate::rays;
use crate::state::State;

/// Number of features.
pub const FEATURE_COUNT: usize = 20;

/// (name, what it measures and which rule makes it matter), in the order of weight vectors.
pub const FEATURES: [(&str, &str); FEATURE_COUNT] = [
    ("rings_in_hand", "Rings in hand / Q: placements to come, and safety from running out of actions (R080, R172)."),
    ("stacks", "Stacks controlled / (N/8): choice of movers, and of payers for lines and regions (R122, R145)."),
    ("stack_height", "Rings in controlled stacks / Q, whatever their colour: reach, but also rigidity (R091)."),
    ("cap_height", "Sum of the caps of controlled stacks / Q: the cap decides who captures whom (R101)."),
    ("tallest_cap", "Tallest cap / Q: nobody with a lower cap can capture that stack (R101)."),
    (
        "captive_rings",
        "Rings of other colours in controlled stacks / Q: credited when such a stack pays or falls (R060).",
    ),
    ("buried_rings", "Own rings in stacks of others / Q: recovery's currency, lost otherwise (R110)."),
    ("elimination", "Credited eliminations / E*: reaching 1 wins (R170)."),
    ("elimination_race", "Square of `elimination`: the last rings to the target weigh more than the first."),
    ("territory", "Collapsed cells owned / T*: reaching 1, and more than all others together, wins (R171)."),
    ("territory_race", "Square of `territory`: the last cells to the minimum weigh more than the first."),
    ("markers", "Markers owned / N: material of lines and walls, and the third tie-break (R120, R142, R173)."),
    ("lines_short_by_one", "Windows of L open cells on an axis with L-1 own markers / (N/8): lines next turn (R120)."),
    ("lines_short_by_two", "Windows of L open cells on an axis with L-2 own markers / (N/8): lines to come (R120)."),
    ("mobility", "Rays on which a controlled stack can move or capture / (directions x (N/8)) (R091, R101)."),
    ("attack", "Captures of others' stacks at hand: pairs of stack and ray / (N/8) (R101)."),
    ("threatened", "Controlled stacks that another seat can capture from / (N/8) (R101)."),
    ("hanging", "Threatened stacks of cap 1 / (N/8): one capture loses their control (R022)."),
    ("recoverable", "1 if recovery-eligible: no stack, but a marker and a buried ring (R110)."),
    ("stuck", "1 without a ring in hand and without a stack that can act: last player standing looms (R172)."),
];

const RINGS_IN_HAND: usize = 0;
const STACKS: usize = 1;
const STACK_HEIGHT: usize = 2;
const CAP_HEIGHT: usize = 3;
const TALLEST_CAP: usize = 4;
const CAPTIVE_RINGS: usize = 5;
const BURIED_RINGS: usize = 6;
const ELIMINATION: usize = 7;
const ELIMINATION_RACE: usize = 8;
const TERRITORY: usize = 9;
const TERRITORY_RACE: usize = 10;
const MARKERS: usize = 11;
const LINES_SHORT_BY_ONE: usize = 12;
const LINES_SHORT_BY_TWO: usize = 13;
const MOBILITY: usize = 14;
const ATTACK: usize = 15;
const THREATENED: usize = 16;
const HANGING: usize = 17;
const RECOVERABLE: usize = 18;
const STUCK: usize = 19;

/// One feature vector per seat; zero beyond the number of players.
pub type FeatureTable = [[f32; FEATURE_COUNT]; MAX_PLAYERS];

/// What a pass over the stacks finds for each seat.
struct StackCounts<Bits> {
    height: [usize; MAX_PLAYERS],
    own_rings: [usize; MAX_PLAYERS],
    caps: [usize; MAX_PLAYERS],
    tallest: [usize; MAX_PLAYERS],
    open_rays: [usize; MAX_PLAYERS],
    captures: [usize; MAX_PLAYERS],
    /// Stacks that some other seat can capture from.
    attacked: Bits,
}

impl<G: Geometry> State<G> {
    /// The features of every seat.
    pub fn features(&self) -> FeatureTable {
        let (players, board) = (self.players(), G::BOARD);
        let rings = board.rings_per_player() as f32;
        let cells = board.cells() as f32;
        let rank = cells / 8.0;
        let stacks = self.count_stacks();
        let collapsed = self.all_collapsed();
        let mut table = [[0.0; FEATURE_COUNT]; MAX_PLAYERS];
        for (seat, row) in table.iter_mut().enumerate().take(players) {
            let controlled = self.controlled[seat];
            let attacked = controlled & stacks.attacked;
            let mut hanging = 0;
            attacked.for_each(|slot| hanging += (self.stacks.cap(slot) == 1) as usize);
            let (by_one, by_two) = self.lines_in_making(seat, collapsed);
            let elimination = self.credited[seat] as f32 / board.elimination_target(players) as f32;
            let territory = self.territory[seat] as f32 / board.territory_minimum(players) as f32;
            row[RINGS_IN_HAND] = self.hand[seat] as f32 / rings;
            row[STACKS] = controlled.count() as f32 / rank;
            row[STACK_HEIGHT] = stacks.height[seat] as f32 / rings;
            row[CAP_HEIGHT] = stacks.caps[seat] as f32 / rings;
            row[TALLEST_CAP] = stacks.tallest[seat] as f32 / rings;
            row[CAPTIVE_RINGS] = (stacks.height[seat] - stacks.own_rings[seat]) as f32 / rings;
            row[BURIED_RINGS] = (self.on_board[seat] as usize - stacks.own_rings[seat]) as f32 / rings;
            row[ELIMINATION] = elimination;
            row[ELIMINATION_RACE] = elimination * elimination;
            row[TERRITORY] = territory;
            row[TERRITORY_RACE] = territory * territory;
            row[MARKERS] = self.markers[seat].count() as f32 / cells;
            row[LINES_SHORT_BY_ONE] = by_one as f32 / rank;
            row[LINES_SHORT_BY_TWO] = by_two as f32 / rank;
            row[MOBILITY] = stacks.open_rays[seat] as f32 / (board.directions() as f32 * rank);
            row[ATTACK] = stacks.captures[seat] as f32 / rank;
            row[THREATENED] = attacked.count() as f32 / rank;
            row[HANGING] = hanging as f32 / rank;
            row[RECOVERABLE] = self.is_recovery_eligible(seat) as u8 as f32;
            row[STUCK] = (self.hand[seat] == 0 && stacks.open_rays[seat] == 0) as u8 as f32;
        }
        table
    }

    fn count_stacks(&self) -> StackCounts<G::Bits> {
        let mut counts = StackCounts {
            height: [0; MAX_PLAYERS],
            own_rings: [0; MAX_PLAYERS],
            caps: [0; MAX_PLAYERS],
            tallest: [0; MAX_PLAYERS],
            open_rays: [0; MAX_PLAYERS],
            captures: [0; MAX_PLAYERS],
            attacked: G::Bits::EMPTY,
        };
        let obstacles = self.obstacles();
        for seat in 0..self.players() {
            self.controlled[seat].for_each(|slot| {
                let (height, cap) = (self.stacks.at(slot).height(), self.stacks.cap(slot));
                counts.height[seat] += height;
                counts.own_rings[seat] += self.stacks.count_rings(slot, seat);
                counts.caps[seat] += cap;
                counts.tallest[seat] = counts.tallest[seat].max(cap);
                for direction in 0..G::BOARD.directions() {
                    let distance = G::first_blocked(&obstacles.blocked, slot, direction);
                    let capture = self.capture_ray(&obstacles, slot, direction, distance, height, cap);
                    counts.open_rays[seat] += (distance > height || capture.is_some()) as usize;
                    if let Some(ray) = capture {
                        let target = rays::at::<G>(slot, direction, ray.target);
                        if !self.controlled[seat].has(target) {
                            counts.captures[seat] += 1;
                            counts.attacked.insert(target);
                        }
                    }
                }
            });
        }
        counts
    }

    /// Windows of L cells on an axis, none collapsed, that hold exactly L-1 and exactly L-2 markers of the seat.
    fn lines_in_making(&self, seat: usize, collapsed: G::Bits) -> (u32, u32) {
        let markers = self.markers[seat];
        let usable = G::CELLS & !collapsed;
        let length = self.line_length();
        let (mut by_one, mut by_two) = (0, 0);
        if markers.count() < length as u32 - 2 {
            return (0, 0);
        }
        for axis in 0..G::BOARD.axes() {
            let back = axis + G::BOARD.axes();
            // Bit-sliced sum over each window: `ones` and `twos` are the binary digits of its number of markers.
            let (mut whole, mut held) = (usable, markers);
            let (mut ones, mut twos) = (markers, G::Bits::EMPTY);
            for _ in 1..length {
                whole = G::step(whole, back) & usable;
                held = G::step(held, back);
                twos = exclusive(twos, ones & held);
                ones = exclusive(ones, held);
            }
            // A sum of 4 reads as 0 here; 2 and 3 stand for L-2 and L-1 where L = 4, and 1 and 2 where L = 3.
            let (one, two, three) = (ones & !twos & whole, twos & !ones & whole, ones & twos & whole);
            let (short_by_one, short_by_two) = if length == 4 { (three, two) } else { (two, one) };
            by_one += short_by_one.count();
            by_two += short_by_two.count();
        }
        (by_one, by_two)
    }
}

#[inline(always)]
fn exclusive<B: Bits>(left: B, right: B) -> B {
    (left | right) & !(left & right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{Board, Hex8, Square8};
    use crate::setup::{Profile, Setup};

    /// A square8 state for two: pieces as JSON maps, hands and eliminations to match.
    fn state(
        stacks: &str,
        markers: &str,
        collapsed: &str,
        hand: [u32; 2],
        out: [u32; 2],
        land: [u32; 2],
    ) -> State<Square8> {
        let text = format!(
            r#"{{"p":1,"ph":"movement","stk":{{{stacks}}},"mk":{{{markers}}},"col":{{{collapsed}}},
                "hand":{hand:?},"elim":{out:?},"terr":{land:?}}}"#
        );
        let setup = Setup::new(Board::Square8, 2, Profile::Canonical).expect("two players play");
        State::from_json(setup, &serde_json::from_str(&text).expect("JSON")).expect("a possible state")
    }

    #[test]
    fn stacks_are_counted_with_rings_caps_and_captives() {
        // Seat 1: [2,1,1] at (0,0). Seat 2: [1,2] at (7,0) and [2] at (0,7).
        let table = state(r#""0,0":"211","7,0":"12","0,7":"2""#, "", "", [15, 15], [0, 0], [0, 0]).features();
        let [one, two, ..] = table;
        assert_eq!(one[RINGS_IN_HAND], 15.0 / 18.0);
        assert_eq!([one[STACKS], two[STACKS]], [1.0 / 8.0, 2.0 / 8.0]);
        assert_eq!([one[STACK_HEIGHT], two[STACK_HEIGHT]], [3.0 / 18.0, 3.0 / 18.0]);
        assert_eq!([one[CAP_HEIGHT], two[CAP_HEIGHT]], [2.0 / 18.0, 2.0 / 18.0]);
        assert_eq!([one[TALLEST_CAP], two[TALLEST_CAP]], [2.0 / 18.0, 1.0 / 18.0]);
        assert_eq!([one[CAPTIVE_RINGS], two[CAPTIVE_RINGS]], [1.0 / 18.0, 1.0 / 18.0]);
        assert_eq!([one[BURIED_RINGS], two[BURIED_RINGS]], [1.0 / 18.0, 1.0 / 18.0]);
        assert_eq!(table[2], [0.0; FEATURE_COUNT]);
    }

    #[test]
    fn captures_threaten_the_first_stack_of_a_ray_with_room_behind_it() {
        // [1,1] at (0,0) attacks [2] at (3,0), which cannot answer: its cap is lower. [2] at (0,7) has no room behind.
        let [one, two, ..] = state(r#""0,0":"11","3,0":"2","0,7":"2""#, "", "", [16, 16], [0, 0], [0, 0]).features();
        assert_eq!([one[ATTACK], two[ATTACK]], [1.0 / 8.0, 0.0]);
        assert_eq!([one[THREATENED], two[THREATENED]], [0.0, 1.0 / 8.0]);
        assert_eq!([one[HANGING], two[HANGING]], [0.0, 1.0 / 8.0]);
    }

    #[test]
    fn mobility_counts_rays_not_cells() {
        // Height 1 in a corner: three rays. Height 8 there: no ray is long enough.
        let [one, two, ..] = state(r#""0,0":"1","7,7":"22222222""#, "", "", [17, 10], [0, 0], [0, 0]).features();
        assert_eq!([one[MOBILITY], two[MOBILITY]], [3.0 / 64.0, 0.0]);
    }

    #[test]
    fn lines_in_the_making_need_a_free_window() {
        // Three in a row from the edge: one window is short by one, and (1,0)-(4,0) holds two.
        let row = r#""0,0":1,"1,0":1,"2,0":1"#;
        let [one, two, ..] = state("", row, "", [18, 18], [0, 0], [0, 0]).features();
        assert_eq!([one[LINES_SHORT_BY_ONE], one[LINES_SHORT_BY_TWO]], [1.0 / 8.0, 1.0 / 8.0]);
        assert_eq!([two[LINES_SHORT_BY_ONE], two[LINES_SHORT_BY_TWO]], [0.0, 0.0]);
        let [one, ..] = state("", row, r#""3,0":2"#, [18, 18], [0, 0], [0, 1]).features();
        assert_eq!([one[LINES_SHORT_BY_ONE], one[LINES_SHORT_BY_TWO]], [0.0, 0.0]);
        // A gap counts like an end: 0, 1 and 3.
        let [one, ..] = state("", r#""0,0":1,"1,0":1,"3,0":1"#, "", [18, 18], [0, 0], [0, 0]).features();
        assert_eq!(one[LINES_SHORT_BY_ONE], 1.0 / 8.0);
    }

    #[test]
    fn lines_of_three_count_two_and_one() {
        let setup = Setup::new(Board::Hex8, 3, Profile::Canonical).expect("three players play");
        let text = r#"{"p":1,"ph":"ring_placement","stk":{},"mk":{"-1,0":1,"0,0":1},"col":{},"hand":[18,18,18],
            "elim":[0,0,0],"terr":[0,0,0]}"#;
        let state = State::<Hex8>::from_json(setup, &serde_json::from_str(text).expect("JSON")).expect("possible");
        let rank = 61.0 / 8.0;
        let [one, ..] = state.features();
        // On their own axis two windows hold both and two hold one; on the other two axes three windows hold each.
        assert_eq!(one[LINES_SHORT_BY_ONE], 2.0 / rank);
        assert_eq!(one[LINES_SHORT_BY_TWO], 14.0 / rank);
    }

    #[test]
    fn targets_are_shares_of_what_wins() {
        let [one, two, ..] = state("", "", r#""0,0":1,"1,0":1,"2,0":1"#, [18, 9], [9, 0], [3, 0]).features();
        assert_eq!([one[ELIMINATION], one[ELIMINATION_RACE]], [0.5, 0.25]);
        assert_eq!([one[TERRITORY], two[TERRITORY]], [3.0 / 33.0, 0.0]);
    }

    #[test]
    fn who_has_only_buried_rings_is_recoverable_and_stuck() {
        let [one, two, ..] = state(r#""0,0":"12""#, r#""5,5":1"#, "", [0, 17], [17, 0], [0, 0]).features();
        assert_eq!([one[RECOVERABLE], one[STUCK]], [1.0, 1.0]);
        assert_eq!([two[RECOVERABLE], two[STUCK]], [0.0, 0.0]);
        assert_eq!(one[MARKERS], 1.0 / 64.0);
    }
}
