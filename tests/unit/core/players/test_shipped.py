"""What comes with the package, against what ringrift_core/players/shipped/README.md asks of it."""

from __future__ import annotations

import itertools
import subprocess
import tomllib
from pathlib import Path

import pytest

from ringrift_core import _engine
from ringrift_core.contract import Board, changed, configuration_name
from ringrift_core.players.gates import TRACK_OF
from ringrift_core.players.shipped import (
    MOST_BYTES,
    SHIPPED,
    Evidence,
    Requirement,
    evidence_name,
    requirements,
    shipped_name,
)
from ringrift_core.players.specification import Judge, JudgeKind, Specification
from ringrift_core.seating import Judges, Seating

REPOSITORY = Path(__file__).parents[4]
CONFIGURATIONS = list(itertools.product(Board, (2, 3, 4)))
EVERYWHERE = [(kind, board, players) for kind in TRACK_OF for board, players in CONFIGURATIONS]
SHIPPED_FILES = [each for each in EVERYWHERE if (SHIPPED / shipped_name(*each)).exists()]
ONE = (JudgeKind.WEIGHTS, Board.SQUARE8, 3)
WANTED = {
    *itertools.product((JudgeKind.NETWORK, JudgeKind.NNUE), (Board.SQUARE8,), (2, 3)),
    *itertools.product((JudgeKind.NETWORK, JudgeKind.NNUE), (Board.HEX8, Board.SQUARE19, Board.HEXAGONAL), (2,)),
}
"""Whom somebody who installs the package without a store may count on, whatever else comes with it."""


def evidence_of(kind: JudgeKind, board: Board, players: int) -> Evidence:
    path = SHIPPED / evidence_name(kind, board, players)
    return Evidence.read(path.read_bytes(), str(path), configuration_name(board, players))


def test_nothing_lies_there_but_files_with_their_evidence() -> None:
    expected = {name for each in SHIPPED_FILES for name in (shipped_name(*each), evidence_name(*each))}
    assert {path.name for path in SHIPPED.iterdir()} == {"README.md", *expected}
    assert {ONE, *WANTED} <= set(SHIPPED_FILES)


def test_all_of_it_together_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("shipped", SHIPPED_FILES, ids=lambda each: shipped_name(*each))
def test_a_shipped_file_has_shown_what_is_asked_of_it_and_plays(shipped: tuple[JudgeKind, Board, int]) -> None:
    kind, board, players = shipped
    evidence = evidence_of(*shipped)
    assert evidence.judge is kind
    assert evidence.refusal((SHIPPED / shipped_name(*shipped)).read_bytes()) == ""
    seating = Seating(Judges(board, players, None, Path()))
    known = seating.judges.of(Judge(kind))
    assert known != seating.judges.of(Judge(JudgeKind.WEIGHTS, 0)), "what is shipped is what is found"
    player = seating.player(Specification.parse(f"{kind}:one-ply"))
    (record,) = _engine.play_games(board.value, players, [[player]], seed=1, games=1, max_turns=2)
    assert record.decisions > 0


def test_evidence_that_falls_short_is_refused_in_a_sentence() -> None:
    content, evidence = (SHIPPED / shipped_name(*ONE)).read_bytes(), evidence_of(*ONE)
    assert "SHA-256" in evidence.refusal(content + b" ")
    without = changed(evidence, matches=evidence.matches[:1])
    assert without.refusal(content) == "there is no match of weights:minimax:25000 over weights@0:minimax:25000"
    for number, (match, required) in enumerate(zip(evidence.matches, requirements(*ONE), strict=True)):
        assert (match.player, match.opponent) == (str(required.player), str(required.opponent))
        at_the_limit = changed(match, low=required.above)
        matches = [at_the_limit if other == number else each for other, each in enumerate(evidence.matches)]
        sentence = f"{match.player} over {match.opponent}: the lower end is {required.above:.4f}, not above"
        assert changed(evidence, matches=tuple(matches)).refusal(content).startswith(sentence)


@pytest.mark.parametrize("one", EVERYWHERE, ids=lambda each: shipped_name(*each))
def test_every_file_has_to_win_its_gate(one: tuple[JudgeKind, Board, int]) -> None:
    first: Requirement = requirements(*one)[0]
    assert first.above >= 0.5
    assert first.player.judge == Judge(one[0])
    assert first.opponent.judge == Judge(JudgeKind.WEIGHTS, 0), "the hand-set weights, whatever is shipped"


def test_the_wheel_takes_them_along() -> None:
    """Maturin takes a package's files, less what git ignores and what it is told to leave out."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["maturin"]
    assert settings["python-packages"] == ["ringrift_core"]
    left_out = [glob.removesuffix("**") for glob in settings["exclude"]]
    assert not any(str(SHIPPED.relative_to(REPOSITORY)).startswith(glob) for glob in left_out)
    paths = [str(path) for path in SHIPPED.iterdir()]
    ignored = subprocess.run(
        ["git", "check-ignore", *paths], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (ignored.returncode, ignored.stdout) == (1, "")
