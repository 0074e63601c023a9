"""What is kept of a measurement, and that it goes on from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.matches import Cost, Played, Side, play, play_on
from benchmarks.pieces import Pieces, told
from ringrift_core.contract import Board, NetworkSize
from ringrift_core.errors import WrongInputError
from ringrift_core.nn.network import NetworkShape
from ringrift_core.nn.quantised import export_untrained
from ringrift_core.players.specification import Specification
from ringrift_core.seating import Seating

SEATING = Seating.without_store(Board.SQUARE8, 3)
RANDOM, ONE_PLY = Specification.parse("random"), Specification.parse("weights@0:one-ply")


def test_a_line_that_a_kill_cut_short_is_made_anew_and_spoils_none_after_it(tmp_path: Path) -> None:
    file = tmp_path / "pieces.jsonl"
    pieces = Pieces(file, configuration="square8-2p")
    assert pieces.find() is None
    first = pieces.add({"games": 1, "won": (True, None)})
    assert first == pieces.find(games=1)
    with file.open("a") as cut:
        cut.write(json.dumps(first | {"games": 2})[:-5])
    assert pieces.find(games=2) is None
    pieces.add({"games": 3})
    assert [piece["games"] for piece in pieces.of()] == [1, 3]
    # A whole line is one, with whatever it ends.
    file.write_text(file.read_text().rstrip("\n"))
    pieces.add({"games": 4})
    assert [piece["games"] for piece in pieces.of()] == [1, 3, 4]


def test_a_file_of_something_else_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "pieces.jsonl"
    file.write_text('{"games": 1}\nnotes\n{"games": 2}\n')
    with pytest.raises(WrongInputError, match=r"pieces.jsonl, line 2: no piece"):
        Pieces(file)
    assert "notes" in file.read_text()
    with pytest.raises(WrongInputError, match="nowhere is no folder"):
        Pieces(tmp_path / "nowhere" / "pieces.jsonl")


def test_pieces_of_another_engine_or_subject_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "pieces.jsonl"
    piece = Pieces(file, configuration="square8-2p").add({"games": 1})
    file.write_text(json.dumps(piece | {"engine": "another"}) + "\n")
    assert Pieces(file, configuration="square8-2p").find(games=1) is None
    Pieces(file, configuration="square8-3p").add({"games": 1})
    assert Pieces(file, configuration="square8-2p").find(games=1) is None
    assert Pieces(file).find(games=1) is not None


def test_a_player_is_told_by_what_its_file_holds(tmp_path: Path) -> None:
    judges, source = SEATING.judges, Path(__file__).parents[4] / "results" / "weights" / "weights-square8-3p.json"
    copies = [tmp_path / "one.json", tmp_path / "other.json"]
    for copy in copies:
        copy.write_bytes(source.read_bytes())
    one, other = (told(Specification.parse(f"weights={copy}:one-ply"), judges) for copy in copies)
    assert one == other
    copies[1].write_text(copies[1].read_text() + "\n")
    assert told(Specification.parse(f"weights={copies[1]}:one-ply"), judges) != one
    assert told(ONE_PLY, judges) == "weights@0:one-ply"
    # What comes with the package has a digest as well: another version of the package is another player.
    assert told(Specification.parse("weights:one-ply"), judges).startswith("weights=")


def test_a_match_in_pieces_is_the_same_match_and_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path / "pieces.jsonl")
    games = 210

    def played(pieces: Pieces) -> list[Played]:
        return list(play_on(pieces, SEATING, ONE_PLY, RANDOM, games, seed=1))

    one, other = (Side.seated(SEATING, each) for each in (ONE_PLY, RANDOM))
    at_once = play(SEATING, one, other, games, seed=1)
    assert at_once is not None
    in_pieces = played(pieces)
    assert [len(each.ids) for each in in_pieces] == [96, 192, 210]
    whole = in_pieces[-1]
    assert (whole.won, whole.ids, whole.rate) == (at_once.won, at_once.ids, at_once.rate)
    assert whole.candidate.decisions == at_once.candidate.decisions
    kept = (tmp_path / "pieces.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "cut.jsonl").write_text(kept[0] + kept[1][:100])
    again = played(Pieces(tmp_path / "cut.jsonl"))
    assert [len(each.ids) for each in again] == [96, 192, 210]
    assert (again[0], again[-1].won, again[-1].ids) == (in_pieces[0], whole.won, whole.ids)
    # What another process has played as well counts once, and of more games than are wanted the first ones do.
    (tmp_path / "twice.jsonl").write_text("".join(kept + kept))
    twice = Pieces(tmp_path / "twice.jsonl")
    assert played(twice)[-1].ids == whole.ids
    (fewer,) = play_on(twice, SEATING, ONE_PLY, RANDOM, 30, seed=1)
    assert (fewer.won, fewer.ids, fewer.rate.games) == (whole.won[:10], whole.ids[:30], 30)


def test_a_network_that_knows_nothing_is_told_alike_however_often_it_is_made(tmp_path: Path) -> None:
    shape = NetworkShape.of_size(Board.SQUARE8, 3, NetworkSize.TINY)
    names = set()
    for name in ("one", "other"):
        export_untrained(shape, 1, tmp_path / name)
        names.add(told(Specification.parse(f"network={tmp_path / name}:puct:4"), SEATING.judges))
    assert len(names) == 1


costs = st.builds(Cost, st.integers(1, 10**6), st.floats(0.001, 1000))


@given(one=costs, other=costs)
def test_costs_of_pieces_add_up_to_what_all_their_decisions_took(one: Cost, other: Cost) -> None:
    both = one + other
    spent = one.decisions * one.core_milliseconds + other.decisions * other.core_milliseconds
    assert both.decisions == one.decisions + other.decisions
    assert abs(both.core_milliseconds - spent / both.decisions) <= 1e-4
    assert min(one.core_milliseconds, other.core_milliseconds) - 1e-4 <= both.core_milliseconds
