from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringrift_core import Game, RulesError, _engine
from ringrift_core._engine import Player
from ringrift_core.contract import Board
from ringrift_core.errors import WrongInputError
from ringrift_core.play.advice import Adviser
from ringrift_core.play.saving import SavedGame
from ringrift_core.play.table import Agent, Human, Table, decided_game
from ringrift_core.seating import Seating

BASELINE = _engine.heuristic_weights("baseline")
SWAP = ("place_ring 3,3 n=1", "move_stack 3,3>3,4", "swap_sides")


def table(board: str = "square8", *, people: int = 1, players: int = 2, seed: int = 1) -> Table:
    agents = [Agent(f"human {seat}", Human()) for seat in range(1, people + 1)]
    agents += [Agent(f"random {seat}", Player.random()) for seat in range(people + 1, players + 1)]
    return Table(Game(board, players), agents, seed)


def go_on(path: Path) -> Table:
    """A saved game, played on by nobody yet."""
    saved = SavedGame.load(path)
    again = Table(saved.fresh_game(), table(saved.board).agents, saved.seed)
    saved.replay(again, path)
    return again


def advance(at: Table, decisions: int, seed: int = 0) -> None:
    """Plays for everybody; a person plays the legal move of a number that the seed gives."""
    for _ in range(decisions):
        if at.is_over:
            return
        legal = at.game.legal_moves()
        if at.agents[at.to_decide].is_human:
            at.play(legal[(seed * 7) % len(legal)])
        else:
            at.play(at.choose().move)


def test_forced_moves_are_played_and_marked() -> None:
    at = table(people=2)
    at.play(SWAP[0])
    at.play(SWAP[1])
    assert [(str(played.move), played.forced) for played in at.log] == [
        (SWAP[0], False),
        (SWAP[1], False),
        ("no_line_action", True),
        ("no_territory_action", True),
    ]
    assert at.game.mover == 2


@given(st.integers(0, 1000), st.integers(0, 60))
def test_somebody_always_has_a_choice(seed: int, decisions: int) -> None:
    at = table("hex8", players=3, seed=seed)
    advance(at, decisions, seed)
    assert at.is_over or len(at.game.legal_moves()) > 1
    assert [played.move for played in at.log] == at.game.moves


def test_a_swap_exchanges_agents_and_undo_brings_them_back() -> None:
    at = table(people=2)
    for move in SWAP:
        at.play(move)
    assert at.swapped
    assert (at.agent_at(1), at.agent_at(2), at.to_decide) == (1, 0, 0)
    assert at.undo() == 1
    assert not at.swapped
    assert (at.agent_at(1), at.agent_at(2), at.to_decide) == (0, 1, 1)


def test_the_winner_is_an_agent_not_a_seat() -> None:
    at = table(people=2)
    for move in SWAP:
        at.play(move)
    advance(at, 500)
    outcome = at.game.outcome()
    assert outcome is not None
    assert at.winner == (1 if outcome.winner == 1 else 0)


@given(st.integers(0, 1000), st.integers(1, 40))
def test_undo_goes_back_to_a_persons_decision(seed: int, decisions: int) -> None:
    at = table("hex8", seed=seed)
    hashes = []
    for _ in range(decisions):
        if at.is_over:
            break
        if at.agents[at.to_decide].is_human:
            hashes.append(at.game.hash())
        advance(at, 1, seed)
    for before in reversed(hashes):
        assert at.undo() >= 1
        assert at.game.hash() == before
        assert at.agents[at.to_decide].is_human
    assert at.undo() == 0


def test_undo_at_the_beginning_takes_nothing_back() -> None:
    at = table()
    assert at.undo() == 0
    watched = table(people=0)
    advance(watched, 5)
    assert (watched.undo(), len(watched.log) > 0) == (0, True)


def test_the_same_seed_and_moves_give_the_same_game() -> None:
    games = []
    for seed in (1, 1, 2):
        at = table("hex8", people=0, seed=seed)
        advance(at, 40)
        games.append([str(played.move) for played in at.log])
    assert games[0] == games[1] != games[2]


def test_every_decision_has_chance_of_its_own() -> None:
    at = table("hex8", people=0)
    seeds = []
    for _ in range(20):
        seeds.append(at.seed_of_decision())
        advance(at, 1)
    assert len(set(seeds)) == 20


def test_an_illegal_move_changes_nothing() -> None:
    at = table()
    with pytest.raises(RulesError):
        at.play("place_ring 9,9 n=1")
    assert at.log == []


@given(st.integers(0, 1000), st.integers(0, 60))
def test_a_saved_game_goes_on_as_it_was(tmp_path_factory: pytest.TempPathFactory, seed: int, decisions: int) -> None:
    path = tmp_path_factory.mktemp("saved") / "game.json"
    at = table("hex8", seed=seed)
    advance(at, decisions, seed)
    SavedGame.of(at, ["human", "random"]).save(path)
    again = go_on(path)
    assert (again.game.hash(), again.log, again.seed) == (at.game.hash(), at.log, at.seed)


def test_a_saved_game_replays_by_hand(tmp_path: Path) -> None:
    at = table()
    advance(at, 10)
    path = tmp_path / "game.json"
    SavedGame.of(at, ["human", "random"]).save(path)
    saved = SavedGame.load(path)
    game = Game(saved.board, saved.players)
    for move in saved.moves:
        game.play(move)
    assert game.hash() == at.game.hash()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text[:50], "no saved game"),
        (lambda text: text.replace('"hex8"', '"chess"'), "no saved game: board"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "no saved game: format"),
        (lambda text: text.replace('"players": 2', '"players": 3'), "2 seats for 3 players"),
        (lambda text: text.replace("place_ring", "place_rings", 1), "move 1: "),
        (lambda text: text.replace("no_line_action", "skip_capture", 1), "no_line_action is the only legal move"),
    ],
)
def test_a_broken_file_is_refused_with_a_sentence(tmp_path: Path, change: object, sentence: str) -> None:
    at = table("hex8")
    advance(at, 10)
    path = tmp_path / "game.json"
    SavedGame.of(at, ["human", "random"]).save(path)
    assert callable(change)
    path.write_text(change(path.read_text()))
    with pytest.raises(WrongInputError, match=r"game\.json") as refused:
        go_on(path)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "game.json"
    folder.mkdir()
    with pytest.raises(OSError, match=r"game\.json"):
        SavedGame.of(table(), ["human", "random"]).save(folder)
    assert [entry.name for entry in tmp_path.iterdir()] == ["game.json"]


class TestAdvice:
    adviser = Adviser(Seating.without_store(Board.SQUARE8, 2))

    def test_chances_are_by_seat_and_sum_to_one(self) -> None:
        game = Game("square8", 3, seed=1)
        game.random_playout(40)
        chances = Adviser(Seating.without_store(Board.SQUARE8, 3)).chances(game)
        assert len(chances) == 3
        assert sum(chances) == pytest.approx(1)

    def test_a_finished_game_is_certain(self) -> None:
        game = Game(seed=1)
        game.random_playout()
        outcome = game.outcome()
        assert outcome is not None
        assert self.adviser.chances(game) == tuple(float(seat == outcome.winner) for seat in (1, 2))

    def test_hints_are_legal_and_the_best_comes_first(self) -> None:
        game = Game(seed=1)
        game.random_playout(30)
        game = decided_game(game)
        hints = self.adviser.hints(game)
        assert {hint.move for hint in hints} <= set(game.legal_moves())
        assert [hint.chance for hint in hints] == sorted((hint.chance for hint in hints), reverse=True)

    def test_a_winning_move_is_hinted_at_with_certainty(self) -> None:
        """Seat 1 has 17 of 18 eliminations; landing on a marker makes the last one (R170)."""
        state = {"p": 1, "ph": "movement", "stk": {"0,0": "1", "5,5": "2222"}, "mk": {"0,3": 2}, "col": {}}
        state |= {"hand": [0, 14], "elim": [17, 0], "terr": [0, 0]}
        (best, *_) = self.adviser.hints(Game.from_state(state))
        assert str(best.move) == "move_stack 0,0>0,3"
        assert best.chance == 1

    def test_after_a_swap_the_chance_is_that_of_the_agent_who_swapped(self) -> None:
        game = Game()
        for move in (*SWAP[:2], "no_line_action", "no_territory_action"):
            game.play(move)
        swap = next(move for move in game.legal_moves() if move.kind == "swap_sides")
        after = game.copy()
        after.play(swap)
        assert self.adviser._chance_after(game, swap) == pytest.approx(self.adviser.chances(after)[0])
