//! How a search goes about it.

use super::ordering::Ordering;

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
    /// What measured best.
    pub const BEST: Settings =
        Settings { variant: Variant::BEST, ordering: Ordering::BEST, table: true, settling_plies: SETTLING_PLIES };
}
