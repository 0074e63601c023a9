"""The native half: rules, players and bulk drivers, in Rust (ringrift_core/engine).

Everything here is checked at the border: bad input is a `RulesError` with one sentence, never a panic. Calls that play
or replay whole games release the GIL. Seats are numbered 1..players as in rules.md; cells are "x,y".

Determinism: game `i` of a run draws everything from a generator seeded by (seed, i) alone, group `g` of a match from
(seed, g). Threads, shards, steps and batches change nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ENCODING_VERSION",
    "HEURISTIC_FEATURES",
    "NNUE_INPUTS_VERSION",
    "BenchFigures",
    "Choice",
    "ConformReport",
    "CoreTime",
    "GameRecord",
    "GroupResult",
    "Judge",
    "JudgeFigures",
    "Move",
    "Outcome",
    "Player",
    "Position",
    "Replay",
    "RulesError",
    "SearchFigures",
    "Searched",
    "before_decision",
    "bench",
    "bench_judge",
    "bench_orderings",
    "bench_search",
    "conform",
    "draw_decisions",
    "encode_position",
    "encode_rows",
    "encoding_shape",
    "heuristic_weights",
    "move_keys",
    "nnue_rows",
    "nnue_shape",
    "nnue_symmetries",
    "notation",
    "pack_rows",
    "play_games",
    "play_match",
    "play_matches",
    "policy_size",
    "replay",
    "searches_from_bytes",
    "unpack_planes",
    "unpack_rows",
    "verify_games",
    "watch_signals",
]

class RulesError(ValueError):
    """An illegal move, an impossible state or broken notation; the message says where and why."""

@final
class Move:
    """One recorded move. Prints as notation (docs/trace-format.md); equal and hashable by content."""

    @property
    def code(self) -> int:
        """The number that policies know it by."""
    @property
    def kind(self) -> str:
        """`place_ring`, `move_stack`, ...: the first word of the notation."""
    @property
    def automatic(self) -> bool:
        """Is it bookkeeping, which is always the only legal move?"""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Outcome:
    """How a game ended."""

    @property
    def winner(self) -> int:
        """Seat of the winner."""
    @property
    def ranks(self) -> tuple[int, ...]:
        """Rank of each seat, seat 1 first; full ties share a rank (R175-R178)."""
    @property
    def reason(self) -> str:
        """ring_elimination, territory_control, last_player_standing, last_player_standing_early or stalemate."""
    def __eq__(self, value: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Position:
    """A game in progress with its history. `ringrift_core.Game` is the face for people; this is what it wraps."""

    def __new__(
        cls, board: str = "square8", players: int = 2, profile: str = "canonical", swap: bool | None = None
    ) -> Self:
        """The start of a game. `swap` None: the pie rule is on with two players, and off with more."""
    @staticmethod
    def from_json(
        text: str, board: str, players: int, profile: str = "canonical", swap: bool | None = None
    ) -> Position:
        """From the exact JSON of a state, trace form or full form."""
    @property
    def board(self) -> str: ...
    @property
    def players(self) -> int: ...
    @property
    def profile(self) -> str: ...
    @property
    def swap(self) -> bool: ...
    @property
    def mover(self) -> int:
        """Seat to move, 1..players."""
    @property
    def phase(self) -> str: ...
    @property
    def turn(self) -> int:
        """1 for the first turn, +1 for each turn of any seat."""
    @property
    def moves(self) -> list[Move]:
        """Moves played since the start of this object, bookkeeping included."""
    def legal_moves(self) -> list[Move]:
        """Every legal move, sorted by notation; empty only when the game is over."""
    def play(self, move: Move | str) -> None: ...
    def undo(self) -> Move:
        """Takes the last move back and returns it."""
    def play_random(self, seed: int, max_moves: int | None = None) -> int:
        """Uniformly random legal moves to the end of the game (or `max_moves`); returns how many. Releases the GIL."""
    def to_json(self) -> str:
        """The full form of the state as one line of JSON."""
    def to_bytes(self) -> bytes:
        """The full state, setup included, in few bytes: one code for each state."""
    @staticmethod
    def from_bytes(state: bytes) -> Position:
        """Reads `to_bytes` back, without a history; RulesError says what is wrong with other bytes."""
    def outcome(self) -> Outcome | None: ...
    def copy(self) -> Position: ...
    def __copy__(self) -> Position: ...
    def __deepcopy__(self, _memo: object) -> Position: ...
    def __getnewargs__(self) -> tuple[str, int, str, bool]: ...
    def __getstate__(self) -> tuple[str, list[str]]:
        """For pickle: the state that the history begins with, as JSON, and the moves since."""
    def __setstate__(self, state: tuple[str, list[str]]) -> None:
        """Takes the place of the position and its history; RulesError, and nothing changed, when that cannot be."""
    def symmetric(self) -> list[Position]:
        """The position seen through every symmetry of its board (8 of a square, 12 of a hexagon), itself first, without
        a history. RulesError in the deployed profile, which has none."""
    def identity_key(self) -> int:
        """64-bit key of the full state."""
    def search_key(self) -> int:
        """64-bit key of all that can change the subtree: equal keys, equal subtrees."""

NNUE_INPUTS_VERSION: Final[int]
"""Version of what an NNUE sees of a position (docs/encoding.md)."""

HEURISTIC_FEATURES: Final[tuple[tuple[str, str], ...]]
"""(name, what it measures and which rule makes it matter), in the order of weight vectors."""

def heuristic_weights(setting: str) -> list[float]:
    """The documented settings `baseline` and `material`, in the order of HEURISTIC_FEATURES."""

@final
class Judge:
    """Who evaluates positions for a search. Immutable, shared by players."""

    @staticmethod
    def linear(weights: Sequence[float]) -> Judge:
        """The linear heuristic: it answers at once, so every search can look with it. A seat's value is its own
        features minus the mean of the others', weighted."""
    @staticmethod
    def mlp(content: bytes) -> Judge:
        """The small network over the linear heuristic's features of a file's content (docs/players.md, MLP), for games
        of one board and number of players: it answers at once. RulesError when it is no such file."""
    @staticmethod
    def nnue(content: bytes, kernel: str | None = None) -> Judge:
        """The network of a file's content (docs/players.md, NNUE), for games of one board and number of players: it
        answers at once, and is told from position to position what differs. RulesError when it is no such file.

        `kernel`: whose instructions it uses, `portable`, `avx2`, `avx512` or `neon`; None takes the fastest that this
        CPU has. All have the same values to the bit; `repr` tells which it is.
        """
    @staticmethod
    def asked(evaluator: _Evaluator) -> Judge:
        """What has to be asked, such as a network: one ply, tree search and its policy alone can wait for answers, and
        what all live games ask goes out in one batch, also of several players with the same evaluator."""
    def calibration(self, board: str, players: int) -> tuple[float, float]:
        """(scale, temperature): the evaluation by which odds between seats grow by a factor of e, and that by which one
        move is e times as likely as another (benchmarks/ladder/calibrate.py). RulesError from a judge that is asked:
        its answers are probabilities."""
    @property
    def configuration(self) -> str | None:
        """The games that it knows, such as `square8-2p`; None: any."""
    def values(self, position: Position) -> list[float]:
        """What the position is worth to each seat, in the judge's own unit: 1000 to the winner of a decided game.
        RulesError from a judge that is asked, and from one of other games."""

@final
class Player:
    """What sits at a seat: a search and its judge. Immutable, shared by games, without state of its own.

    RulesError says which search cannot look with which judge.
    """

    @staticmethod
    def random() -> Player:
        """Uniform over legal moves, without a judge."""
    @staticmethod
    def one_ply(judge: Judge, noise: float = 0.0, name: str | None = None) -> Player:
        """Every legal move is tried, its turn completed, and the position evaluated; the best is played.

        A judge that is asked sees the position right after the move instead, those of all live games in one batch, and
        its policy is not asked for. `noise`: uniform noise of up to this much is added to each evaluation, for variety.
        `name` None: "heuristic", or "network" for a judge that is asked.
        """
    @staticmethod
    def policy(judge: Judge, noise: float = 0.0, name: str = "policy") -> Player:
        """The move that the policy of an asked judge finds most likely, without any search.

        `noise`: scale of Gumbel noise on its logits; 1 draws moves from the policy as it is. The evaluator must give a
        policy: RulesError when it is asked and gives none.
        """
    @staticmethod
    def minimax(
        judge: Judge,
        depth: int | None = None,
        nodes: int | None = None,
        seconds: float | None = None,
        variant: str | None = None,
        noise: float = 0.0,
        name: str = "minimax",
    ) -> Player:
        """Iterative deepening until the first bound is met; at least one must be given. The judge answers at once.

        `depth`: plies (decisions with more than one legal move). `nodes`: decisions applied. `seconds`: wall time, for
        play with people: a game by time does not repeat. `variant`: `max_n`, `paranoid` or `best_reply`, for three and
        four players; None is the strongest (benchmarks/search). Two players play alpha-beta in any case. `noise`:
        uniform noise of up to this much is added to what each move is worth.
        """
    @staticmethod
    def descent(
        judge: Judge,
        nodes: int | None = 1000,
        noise: float = 0.0,
        name: str = "descent",
        *,
        seconds: float | None = None,
        to_the_end: bool = False,
        inner: int = 0,
    ) -> Player:
        """Best-first minimax of `nodes` nodes a decision, with completion (Cohen-Solal 2020). The judge answers at
        once.

        What it knows of the game's positions is kept between decisions. `noise`, for self-play; 0 plays the safest
        move: moves are drawn by rank, the best with a probability of about 1 - noise, of the rest the second best with
        as much, and so on (the ordinal distribution). `to_the_end`: each line grows to the end of the game (Descent
        proper) instead of by one position. `inner`: so many positions of the tree are told with each decision, the
        most visited first (`Searched.inner`). `seconds` of wall time, for play with people, bound the search too: give
        `nodes` None for time alone.
        """
    @staticmethod
    def tree_search(
        judge: Judge,
        simulations: int | None = 64,
        seconds: float | None = None,
        variant: str = "puct",
        considered: int = 16,
        noise: float = 0.0,
        name: str = "mcts",
        *,
        fast: tuple[float, int] | None = None,
    ) -> Player:
        """Monte-Carlo tree search, for 2 to 4 players; what it knows of the game's positions is kept between decisions.

        An asked judge values one leaf of each live game in one batch; the prior, at the root and below, is its policy,
        or uniform where it gives none. Any other judge looks one ply ahead of the leaf, and that is the prior.

        `variant`: "puct" (Silver et al. 2018), whose policy is the share of visits, or "gumbel" (Danihelka et al.
        2022), whose root considers `considered` moves and whose policy is the improved one. `noise`, for self-play; 0
        plays for strength: the share of Dirichlet noise in the root's prior (puct, AlphaZero's is 0.25), or the scale
        of the Gumbel noise (1 as published). `seconds` of wall time, for play with people, bound the search too: give
        `simulations` None for time alone. `fast`, for self-play: a share of the decisions, drawn one by one, has so
        many simulations instead, and leaves no policy (Wu 2019, section 3.1).
        """
    @property
    def name(self) -> str: ...
    def choose(self, position: Position, seed: int) -> Choice:
        """What this player would do now: the same choice for the same seed. RulesError when the game is over.

        Releases the GIL. Ctrl-C ends the search and comes out as KeyboardInterrupt.
        """

@final
class Choice:
    """A decision, and what its search found."""

    @property
    def move(self) -> Move: ...
    @property
    def values(self) -> tuple[float, ...] | None:
        """Win probability of the agent at each seat, as seated before the move; None where nothing was searched (a
        forced or a random move, a network without search)."""
    @property
    def policy(self) -> tuple[tuple[Move, float], ...]:
        """(move, share) of every legal move, the largest share first; the shares sum to 1. Empty without a search."""
    @property
    def nodes(self) -> int:
        """Decisions that the search applied."""

_Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]

_Evaluator = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32] | _Arrays]
"""(planes [B, C, H, W], globals [B, G]) -> win probabilities [B, players], column 0 the player to move; or a pair:
these, and the number of every policy key [B, policy] (docs/encoding.md), which is the prior of a tree search."""

_Progress = Callable[[int], bool | None]
"""Called now and then from the calling thread with the number of games finished. False stops: whole games are
returned. An exception raised here, or by a signal handler (Ctrl-C), stops the run and comes out of the call."""

_Receive = Callable[[list[GameRecord]], bool | None]
"""Takes finished games, called from the calling thread several times a second, also with none. False stops: games under
way are dropped, those that finished already still come. An exception stops the run and comes out of the call."""

@final
class GameRecord:
    """One finished (or cut) game."""

    @property
    def index(self) -> int: ...
    @property
    def game_id(self) -> str:
        """SHA-256 (hex) of profile, board, players, options, start and moves; the seed is no part of it."""
    @property
    def seats(self) -> tuple[str, ...]:
        """Name of the player (agent) that started at each seat; `swapped` says whether seats 1 and 2 changed hands."""
    @property
    def moves(self) -> bytes:
        """Every recorded move, bookkeeping included, packed: two to three bytes a move (docs/replay.md)."""
    @property
    def winner(self) -> int | None:
        """Winning seat; None when the game was cut."""
    @property
    def winning_agent(self) -> int | None:
        """Seat at which the winner started: `winner`, unless the sides were swapped."""
    @property
    def ranks(self) -> tuple[int, ...] | None: ...
    @property
    def reason(self) -> str:
        """As `Outcome.reason`, or `max_moves` when the game was cut."""
    @property
    def swapped(self) -> bool: ...
    @property
    def turns(self) -> int: ...
    @property
    def recorded_moves(self) -> int: ...
    @property
    def decisions(self) -> int:
        """Moves chosen among more than one legal move."""
    @property
    def searches(self) -> bytes:
        """What the players' searches found, in the stored form that `searches_from_bytes` reads; empty in matches."""

@final
class Searched:
    """What a search found at one decision: targets of training."""

    @property
    def decision(self) -> int:
        """Number of the decision in its game, from 0: moves chosen among several, and no others, are counted."""
    @property
    def values(self) -> tuple[float, ...]:
        """Win probability of the agent at each seat, as seated before the decision."""
    @property
    def policy(self) -> tuple[tuple[int, float], ...]:
        """(move code, share) of the 32 moves with the largest shares, those without any left out. What is missing from
        a sum of 1 belongs to the other legal moves, in equal parts."""
    @property
    def inner(self) -> tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]:
        """Positions of the search's tree, where the player tells them: the codes of the moves that lead there from the
        decision, forced ones included, and the win probability of each seat, as seated there."""

def searches_from_bytes(searches: bytes, players: int) -> list[Searched]:
    """Reads the stored form of searches; ValueError says what is wrong with other bytes."""

def play_games(
    board: str,
    players: int,
    modes: Sequence[Sequence[Player]],
    *,
    seed: int,
    games: int,
    first_game: int = 0,
    skip: Sequence[int] | None = None,
    profile: str = "canonical",
    swap: bool | None = None,
    max_turns: int = 500,
    opening_plies: int = 0,
    least_opening_plies: int | None = None,
    opening_group: int = 1,
    prefixes: Sequence[bytes] | None = None,
    random_move_rate: float = 0.0,
    threads: int = 0,
    receive: _Receive | None = None,
    core_time: CoreTime | None = None,
) -> list[GameRecord]:
    """Self-play: games first_game .. first_game + games - 1 of the run `seed`, without those in `skip`.

    Game i is played by mode i % len(modes); a mode with several players deals them over the seats by a seeded draw (a
    mode with one seats it everywhere). The first `opening_plies` decisions are random, or a number of them drawn from
    `least_opening_plies` up, the same within each group of `opening_group` successive games; nobody swaps sides in
    them. With `prefixes`, moves of games in their stored form, they are dealt over these groups in turn, and a group
    begins where its prefix ends; an empty one leaves it the random opening. Later decisions are random with probability
    `random_move_rate`. A game longer than `max_turns` turns is cut.
    `threads` 0: every core.

    With `receive`, games are handed over as they finish, in any order, and nothing is returned: memory does not grow
    with the number of games. Without it all are returned, by index.
    """

@final
class GroupResult:
    """One opening of a match, the candidate in each seat in turn: `players` games."""

    @property
    def group(self) -> int: ...
    @property
    def score(self) -> float:
        """Games the candidate won; a cut game counts 1/players. Between 0 and players."""
    @property
    def records(self) -> tuple[GameRecord, ...]:
        """Game k of the group: the candidate starts at seat k + 1, copies of the opponent elsewhere."""
    @property
    def candidate_won(self) -> tuple[bool | None, ...]:
        """By game: True, False, or None when it was cut."""

@final
class CoreTime:
    """What decisions take: (decisions, seconds of the threads that searched).

    In self-play those of the first player of the first mode are the opponent's, all others the candidate's. The time
    that networks take is not among it: that is the rest of the process's.
    """

    def __new__(cls) -> CoreTime: ...
    @property
    def candidate(self) -> tuple[int, float]:
        """Of all candidates together."""
    @property
    def opponent(self) -> tuple[int, float]: ...

def play_match(
    board: str,
    players: int,
    candidate: Player,
    opponent: Player,
    *,
    seed: int,
    groups: int,
    first_group: int = 0,
    profile: str = "canonical",
    swap: bool | None = None,
    max_turns: int = 500,
    threads: int = 0,
    progress: _Progress | None = None,
    core_time: CoreTime | None = None,
) -> list[GroupResult]:
    """Groups first_group .. first_group + groups - 1 of a seat-rotated match (training.md, Gates).

    Openings are distinct random lines that end after seat 2's first decision, without a swap. A stopped run returns the
    whole groups. What decisions take is added to `core_time`.
    """

def play_matches(
    board: str,
    players: int,
    candidates: Sequence[Player],
    opponent: Player,
    *,
    seed: int,
    groups: int,
    first_group: int = 0,
    profile: str = "canonical",
    swap: bool | None = None,
    max_turns: int = 500,
    threads: int = 0,
    progress: _Progress | None = None,
    core_time: CoreTime | None = None,
) -> list[list[GroupResult]]:
    """`play_match` of every candidate on the same openings, all games of all matches shared out over the threads."""

@final
class Replay:
    """What a replayed list of moves says."""

    @property
    def game_id(self) -> str: ...
    @property
    def outcome(self) -> Outcome | None: ...
    @property
    def swapped(self) -> bool: ...
    @property
    def turns(self) -> int: ...
    @property
    def recorded_moves(self) -> int: ...
    @property
    def decisions(self) -> int: ...

def replay(board: str, players: int, moves: bytes, *, profile: str = "canonical", swap: bool | None = None) -> Replay:
    """Plays compact moves from the start, each checked against the legal list; RulesError names the first bad one."""

def before_decision(
    board: str, players: int, moves: bytes, decision: int, *, profile: str = "canonical", swap: bool | None = None
) -> bytes:
    """The moves of a game before its decision of this number, counted from 0: a prefix for `play_games`."""

def notation(
    board: str, players: int, moves: bytes, *, profile: str = "canonical", swap: bool | None = None
) -> list[Move]:
    """Compact moves as notation."""

_StoredGame = tuple[int, bytes, str, int | None, str | None, str, int, int, int, int, bytes, bytes | None]
"""A row of a file of games, its columns in their order (docs/replay.md)."""

def verify_games(
    board: str,
    players: int,
    games: Sequence[_StoredGame],
    *,
    profile: str = "canonical",
    swap: bool | None = None,
    threads: int = 0,
) -> list[tuple[int, str]]:
    """Plays stored games again: index and first fault of each that is not what its record says.

    Every move must be legal, and id, outcome, ranks and counts what the moves make; every search must belong to a
    decision, its moves be legal there, its shares and win probabilities sum to 1. `threads` 0: every core. Releases the
    GIL.
    """

ENCODING_VERSION: Final[int]
"""Version of planes, global features and policy keys (docs/encoding.md)."""

def encoding_shape(board: str, players: int) -> tuple[int, int, int, int]:
    """(C, H, W, G): planes, height and width of the array, and global features (docs/encoding.md)."""

def policy_size(board: str, players: int) -> int:
    """Numbers in a network's policy output: one for each key."""

def encode_position(position: Position) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Planes [C, H, W] and globals [G] of one position."""

def move_keys(position: Position) -> dict[str, tuple[int, ...]]:
    """The keys of each legal move, by its notation: its logit is the sum of their numbers in the policy output."""

def draw_decisions(seed: int, game_id: str, decisions: int, wanted: int) -> list[int]:
    """`wanted` of a game's decisions, ascending, drawn without replacement by a generator of (seed, game id)."""

def encode_rows(
    board: str,
    players: int,
    games: Sequence[tuple[str, bytes, bytes, Sequence[int] | None]],
    *,
    seed: int = 0,
    symmetries: int = 0,
    exact_states: bool = False,
    trees: bool = False,
    features: bool = False,
    profile: str = "canonical",
    swap: bool | None = None,
    threads: int = 0,
) -> dict[str, NDArray[Any]]:
    """The positions before chosen decisions of recorded games, as a dataset keeps them (docs/encoding.md, "Rows").

    A game is (id, moves, searches, decisions): moves and searches as `GameRecord` gives them, decisions ascending, or
    None for all. Each position makes a row as it is, or, with `symmetries`, a row for each of so many different
    symmetries drawn by (seed, game id, decision). With `trees` the positions of a search's tree that are stored with a
    decision follow it. With `features` there is a column of the linear heuristic's, [rows, players, features], by seat
    from the one to move. Rows come in the order of games and decisions on any number of threads; 0 takes every core.
    Releases the GIL. RulesError names the game and its first fault.
    """

def unpack_planes(board: str, players: int, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Planes [rows, C, H, W] of the column `planes` [rows, bytes] of `encode_rows`: those of `encode_position`."""

def pack_rows(board: str, players: int, columns: dict[str, NDArray[Any]]) -> tuple[bytes, NDArray[np.uint32]]:
    """Rows of `encode_rows` one after the other, and the bytes of each: what a training reads of them.

    RulesError names a column that is missing, of another type, or not as long as the others ask for.
    """

def unpack_rows(
    board: str, players: int, records: list[bytes], symmetries: NDArray[np.uint8]
) -> dict[str, NDArray[Any]]:
    """Rows of `pack_rows`, B in all, each as seen through a symmetry of the board where its position allows any.

    `planes` [B, C, H, W], `globals` [B, G], `outcomes`, `values`, `eliminations` and `territories` [B, n], `owners`
    [B, n, H, W] and `turns_left` [B] are float32; `reasons` and `unsearched` [B] are int64. Of M legal moves at most:
    `legal` bool [B, M], `shares` float32 [B, M], and `keys` int64 [B, M, K], which hold the size of the policy output
    where a move has fewer. Releases the GIL.
    """

def nnue_shape(board: str, players: int) -> tuple[int, int, int, int, int]:
    """What an NNUE consists of (docs/encoding.md): inputs of a seat that have rows, those of a cell among them, inputs
    of a turn; the width of an accumulator; heads."""

def nnue_rows(
    board: str, players: int, lengths: NDArray[np.uint16], states: NDArray[np.uint8]
) -> dict[str, NDArray[Any]]:
    """Exact states, `lengths` [R] bytes each, as an NNUE sees them from the mover's seat.

    `counts` uint16 [R], how many inputs with rows each has; `numbers` uint16 [sum of counts], state after state: their
    numbers among those of a seat; `owners` uint8, alike: by how many seats their owners sit after the mover; `turns`
    bool [R, players, inputs of a turn], the owner's seat counted likewise; `heads` uint8 [R], the mover's head;
    `symmetric` bool [R], whether the symmetries of the board hold for it. RulesError for other bytes, or of other
    games. On every core; releases the GIL.
    """

def nnue_symmetries(board: str, players: int) -> NDArray[np.uint16]:
    """[symmetries, inputs of a seat]: where each symmetry of the board takes each input, the identity first."""

@final
class ConformReport:
    @property
    def games(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def positions(self) -> int: ...
    @property
    def mismatches(self) -> int: ...
    @property
    def first_mismatch(self) -> str | None: ...
    @property
    def unreadable(self) -> list[str]:
        """A sentence for each path that could not be read; the others were replayed."""

def conform(paths: Sequence[str], profile: str = "canonical") -> ConformReport:
    """Replays trace files and position files (.jsonl, .jsonl.gz), and folders of them."""

@final
class BenchFigures:
    """Speed of the rules on one core: whole random games, then legal lists, applying and cloning alone."""

    @property
    def games(self) -> int: ...
    @property
    def moves_per_second(self) -> float:
        """Recorded moves of uniformly random play, the full legal list built at every step."""
    @property
    def decisions_per_second(self) -> float: ...
    @property
    def legal_list_ns(self) -> float: ...
    @property
    def legal_list_length(self) -> float:
        """Mean number of legal moves."""
    @property
    def apply_ns(self) -> float: ...
    @property
    def clone_ns(self) -> float: ...
    @property
    def state_bytes(self) -> int: ...

def bench(board: str, players: int, seconds: float = 1.0, seed: int = 1) -> BenchFigures:
    """Measures for about `seconds` of random play. Releases the GIL."""

@final
class SearchFigures:
    """Speed of minimax on one core, in games against itself."""

    @property
    def decisions(self) -> int:
        """Searched moves."""
    @property
    def nodes_per_second(self) -> float:
        """Decisions applied in the search, those that complete turns too, per second of CPU time."""
    @property
    def mean_depth(self) -> float:
        """Plies of the last iteration that counted, on average."""

def bench_search(
    board: str, players: int, nodes: int, seconds: float = 1.0, seed: int = 1, judge: Judge | None = None
) -> SearchFigures:
    """Measures for about `seconds` of play, `nodes` a decision; `judge` None: the hand-set weights. Releases the
    GIL."""

@final
class JudgeFigures:
    @property
    def evaluations(self) -> int: ...
    @property
    def from_parent_ns(self) -> float:
        """An evaluation after the position before the move was approached, what that costs included."""
    @property
    def refreshed_ns(self) -> float:
        """An evaluation without any base."""

def bench_judge(
    board: str,
    players: int,
    judge: Judge | None = None,
    *,
    positions: int = 200,
    seconds: float = 1.0,
    seed: int = 1,
) -> JudgeFigures:
    """Evaluates the positions after every move of `positions` ones of quick games, for about `seconds` of CPU time each
    way; `judge` None: the hand-set weights. Releases the GIL."""

def bench_orderings(
    board: str, players: int, depth: int, positions: int, seed: int = 1
) -> list[tuple[str, float, float]]:
    """(way of ordering moves, mean nodes, effective branching factor) of searches to a fixed depth; counts repeat.

    The effective branching factor is the `depth`-th root of the mean nodes. Positions come from quick games of the
    search against itself. With three and four players the search is paranoid.
    """

def watch_signals(
    pipe: int,
    signals: Sequence[int],
    *,
    to_answer: float,
    to_save: float,
    exit_code: int,
    sentence: str,
    result: tuple[str, str] | None = None,
) -> None:
    """Ends this process when a signal is not answered, also while native code holds the interpreter.

    `pipe` is the reading end of what `signal.set_wakeup_fd` writes to; it is taken over. From the first byte that is
    one of `signals` the process has `to_answer` seconds; a byte 0 says that it has heard and saves, for which it has
    `to_save` seconds from the signal on; SIGINT as a second signal leaves three. When they are over, `sentence` goes to
    stderr, the result, a path and its content with the time for every `{now}`, into its file, and the process ends with
    `exit_code`, whether or not that could be done. The watch ends when the pipe's writing end is closed. RulesError for
    seconds that are none.
    """
