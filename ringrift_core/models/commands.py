"""`ringrift models`: looks at the champions that a store's registry holds, checks them, and moves them by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ringrift_core.contract import Board, ExitCode, PlayerRating, Track, Verdict
from ringrift_core.errors import RingRiftError, WrongInputError
from ringrift_core.files import scratch_folder
from ringrift_core.streams import console

if TYPE_CHECKING:
    from ringrift_core.models.by_hand import Hand
    from ringrift_core.models.catalogue import Evidence, Model, ModelInFull
    from ringrift_core.registry.champions import Move

__all__ = ["application"]

_FAULTY = 1
"""Exit status of `verify` when a model is not what the registry says."""

_STORE = "STORE: a path, a file:// or an s3:// address. A CONFIGURATION is a board and its players: square8-2p."

application = typer.Typer(
    help="Look at the champions of a store, check them, take them along, and move them by hand (docs/store.md).",
    no_args_is_help=True,
)

_Store = Annotated[str, typer.Argument(metavar="STORE", help="Where the champions are, see below.")]
_Configuration = Annotated[str, typer.Argument(metavar="CONFIGURATION", help="Such as square8-2p.")]
_TrackName = Annotated[str, typer.Argument(metavar="TRACK", help="weights, nnue or network.")]
_Version = Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Omitted: the champion.", min=1)]
_OfBoard = Annotated[Board | None, typer.Option("--board", help="Only this board's.")]
_OfPlayers = Annotated[int | None, typer.Option("--players", min=2, max=4, help="Only of so many players.")]
_OfTrack = Annotated[str | None, typer.Option("--track", help="Only this track's.", metavar="TRACK")]
_Because = Annotated[str, typer.Option("--because", help="Why, for the registry's history.", metavar="TEXT")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, a line each, and nothing else.")]


def _epilog(*examples: str) -> str:
    return "\n\n".join([_STORE, *(f"Example: ringrift models {example}" for example in examples)])


@contextmanager
def _sentences(command: str) -> Iterator[None]:
    """Failures are one sentence on stderr, with the exit status that stages have for them."""
    try:
        yield
    except RingRiftError as failure:
        typer.echo(f"ringrift models {command}: {failure}", err=True)
        raise typer.Exit(failure.exit_code) from None
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "ringrift_core":
            raise
        sentence = f"{missing.name} is not installed: pip install 'ringrift[stages]'"
        typer.echo(f"ringrift models {command}: {sentence}", err=True)
        raise typer.Exit(ExitCode.WRONG_INPUT) from None


@application.command(
    "list", epilog=_epilog("list ringrift-data/ringrift", "list s3://bucket/run --board square8 --track network --json")
)
def list_models(
    store: _Store,
    board: _OfBoard = None,
    players: _OfPlayers = None,
    track: _OfTrack = None,
    as_json: _Json = False,
) -> None:
    """List the champions, a line each.

    Since when, by which gate or whom, in Elo above the hand-set heuristic, and what a rollback can restore. Times are
    UTC; ranges are 95 % intervals.
    """
    from ringrift_core.models.catalogue import champions
    from ringrift_core.store import address_of, open_store

    with _sentences("list"):
        found = champions(open_store(address_of(store)), board, players, None if track is None else _track(track))
        if as_json:
            for one in found:
                typer.echo(_json_line(one))
            return
        table = Table(box=box.SIMPLE_HEAD)
        for heading in (
            "configuration", "track", "version", "iteration", "kind", "when", "gate", "Elo", "size", "backups",
        ):  # fmt: skip
            table.add_column(heading, justify="right" if heading in ("version", "iteration", "size") else "left")
        for one in found:
            table.add_row(*_row(one))
        if not table.row_count:
            typer.echo(f"no champions yet in {store}")
            return
        console().print(table)


@application.command(
    epilog=_epilog("show ringrift-data/ringrift square8-2p network", "show s3://run hex8-3p weights 2")
)
def show(
    store: _Store, configuration: _Configuration, track: _TrackName, version: _Version = None, as_json: _Json = False
) -> None:
    """Show one version in full.

    What it consists of and rests on, what it was trained on, its moves and ratings.
    """
    from ringrift_core.models.catalogue import in_full

    with _sentences("show"), _hand(store, configuration, track) as hand:
        found = in_full(hand.archive, hand.track, version)
        if as_json:
            typer.echo(_json_line(found))
            return
        screen = console()
        for line in _lines(found):
            screen.print(line, markup=False, soft_wrap=True)


@application.command(
    epilog=_epilog(
        'promote ringrift-data/ringrift square8-2p weights mine.json --because "won 0.6 of 400 games by hand"',
        'promote s3://bucket/run square8-2p network 3 --because "version 5 plays the opening badly"',
    )
)
def promote(
    store: _Store,
    configuration: _Configuration,
    track: _TrackName,
    candidate: Annotated[
        str,
        typer.Argument(
            metavar="FILE|VERSION",
            help="Weights (JSON), the card.json of an NNUE or a network with its files beside it, or a folder that "
            "`export` wrote; or a version that was champion once.",
        ),
    ],
    because: _Because,
) -> None:
    """Make a file, or an earlier version, the champion, and say why.

    It is checked as `ringrift promote` checks candidates, and nothing is written when it could not play. It gets a
    version of its own, and drops no backup. A pipeline that holds the store is not fought over: exit status 4 names it.
    """
    from ringrift_core.models.by_hand import reason

    with _sentences("promote"), _hand(store, configuration, track) as hand:
        because = reason(because)
        hand.check_free()
        artifact = hand.artifact(int(candidate)) if re.fullmatch(r"[0-9]{1,10}", candidate) else None
        if artifact is None:
            from ringrift_core.models.package import Package, Player

            package = Package.read(Path(candidate), Player(hand.board, hand.players, hand.track))
            hand.archive.check_writable(f"registry/{hand.track}.json")
            artifact = package.store(hand.archive)
        result = hand.move(hand.promotion(artifact, because))
        typer.echo(result.message)


@application.command(
    epilog=_epilog(
        'rollback ringrift-data/ringrift square8-2p network --because "plays worse than version 2"',
        'rollback s3://bucket/run square8-2p network --to 1 --because "trained on wrong labels since"',
    )
)
def rollback(
    store: _Store,
    configuration: _Configuration,
    track: _TrackName,
    because: _Because,
    to: Annotated[
        int | None, typer.Option("--to", min=1, metavar="VERSION", help="One of its backups; omitted: the newest.")
    ] = None,
) -> None:
    """Make an earlier champion champion again, and say why.

    A pipeline that holds the store is not fought over: exit status 4 names it, and says how it is asked.
    """
    from ringrift_core.models.by_hand import reason

    with _sentences("rollback"), _hand(store, configuration, track) as hand:
        result = hand.move(hand.rollback(to, reason(because)))
        typer.echo(result.message)


@application.command(
    epilog=_epilog("verify ringrift-data/ringrift", "verify s3://bucket/run --board square8 --players 2")
)
def verify(store: _Store, board: _OfBoard = None, players: _OfPlayers = None, track: _OfTrack = None) -> None:
    """Read all that the registry names, and load what plays.

    Every object is held against its SHA-256: of every version that was ever champion, and of the verdict that made it
    one. A line each for what is wrong; the last line is JSON: {"models":N,"verified":N,"faults":N}.
    Exit status: 0 all are whole, 1 some are not.
    """
    from ringrift_core.archive import Archive
    from ringrift_core.models.catalogue import configurations
    from ringrift_core.models.verification import verify as verified
    from ringrift_core.store import address_of, open_store

    counts = {"models": 0, "verified": 0, "faults": 0}
    screen = console(stderr=True)
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with (
        _sentences("verify"),
        Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar,
    ):
        wanted = tuple(Track) if track is None else (_track(track),)
        place, task = open_store(address_of(store)), bar.add_task("", total=None)
        for name in configurations(board, players):
            for each in wanted:
                with scratch_folder() as folder:
                    for checked in verified(Archive(place, name), each, folder):
                        counts["models"] += checked.version != 0
                        counts["verified"] += not checked.faults
                        counts["faults"] += len(checked.faults)
                        bar.update(task, description=f"{counts['models']} models, {counts['faults']} faults")
                        if checked.faults:
                            typer.echo(str(checked))
    typer.echo(json.dumps(counts, separators=(",", ":")))
    if counts["faults"]:
        raise typer.Exit(_FAULTY)


@application.command(
    epilog=_epilog(
        "export ringrift-data/ringrift square8-2p network --to champion.onnx",
        "export s3://bucket/run square8-2p weights 2 --to weights-2",
        "export ringrift-data/ringrift square8-2p network --board square19 --to large",
    )
)
def export(
    store: _Store,
    configuration: _Configuration,
    track: _TrackName,
    to: Annotated[Path, typer.Option("--to", metavar="FILE|FOLDER", help="A new file or folder, see below.")],
    version: _Version = None,
    board: Annotated[
        Board | None,
        typer.Option("--board", help="Another board on which a network is to play; omitted: the one it learnt on."),
    ] = None,
) -> None:
    """Write a version to files that other programs can use.

    --to a FOLDER: all that it consists of, and model.json, which says what it is and rests on; `ringrift models
    promote` takes the folder. --to a FILE that ends as what is played (.json for weights, .safetensors for an NNUE,
    .onnx for a network): that alone, with FILE.model.json beside it; `ringrift play network=FILE:gumbel:64` seats it.
    Whole or not at all, and never over what is there.

    A network's parameters do not depend on how large a board is: with --board, what square8 has learnt plays on
    square19, and hex8's on hexagonal, or the other way round. `ringrift models promote` makes it a champion there.
    """
    from ringrift_core.models.catalogue import model
    from ringrift_core.models.package import export_model

    with _sentences("export"), _hand(store, configuration, track) as hand:
        found, archive = model(hand.archive, hand.track, version), hand.archive
        if found.fault:
            raise WrongInputError(found.fault)
        if board is not None:
            from ringrift_core.models.other_board import on_board

            found, archive = on_board(found, archive, board, hand.folder)
        for path in export_model(found, archive, hand.folder, to):
            typer.echo(str(path))


@contextmanager
def _hand(store: str, configuration: str, track: str) -> Iterator[Hand]:
    from ringrift_core.archive import Archive
    from ringrift_core.models.by_hand import Hand
    from ringrift_core.models.catalogue import configuration as named
    from ringrift_core.store import address_of, open_store

    board, players = named(configuration)
    with scratch_folder() as folder:
        archive = Archive(open_store(address_of(store)), configuration)
        yield Hand(archive, board, players, _track(track), folder)


def _track(name: str) -> Track:
    if name not in tuple(Track):
        raise WrongInputError(f"TRACK: found {name!r}; there are {', '.join(Track)}")
    return Track(name)


def _json_line(found: Any) -> str:
    return str(found.model_dump_json(by_alias=True, exclude_none=True))


def _row(one: Model) -> tuple[str, ...]:
    return (
        one.configuration,
        str(one.track),
        str(one.version),
        str(one.iteration),
        one.kind or "unreadable",
        _day(one.evidence.at),
        _gate(one.evidence),
        "" if one.rated is None else _points(one.rated.rating),
        _size(one.size),
        " ".join(map(str, one.backups)),
    )


def _gate(evidence: Evidence) -> str:
    if evidence.verdict is not None:
        return _rate(evidence.verdict)
    return f"by hand: {evidence.by}" if evidence.by else "none"


def _rate(verdict: Verdict) -> str:
    return f"{verdict.win_rate:.3f} ({verdict.low:.3f}-{verdict.high:.3f})"


def _points(rating: PlayerRating) -> str:
    return f"{rating.elo} ({rating.low} to {rating.high})"


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count / 1e3:,.1f} kB"


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _lines(found: ModelInFull) -> Iterator[str]:
    one = found.model
    yield f"{one.configuration} {one.track} version {one.version}: {one.standing}"
    if one.fault:
        yield f"  fault          {one.fault}"
    yield f"  kind           {one.kind or 'unreadable'}, of iteration {one.iteration}, {_size(one.size)}"
    yield f"  artifact       {one.artifact.name} ({one.artifact.bytes:,} bytes)"
    for name, file in one.files.items():
        yield f"  {name:<14} {file.name} ({file.bytes:,} bytes)"
    yield from _why(one.evidence)
    yield f"  predecessor    {one.predecessor or 'none'}"
    if one.standing == "champion":
        yield f"  backups        {', '.join(map(str, one.backups)) or 'none'}"
    if found.training is not None:
        yield f"  trained by     {found.training.stage}, finished {_day(found.training.finished_at)} UTC"
        yield from (f"    {line}" for line in _values(found.training.parameters))
        yield from (f"    {line}" for line in _values(found.training.result))
    if found.evaluation is not None:
        yield "  its gate also told"
        yield from (f"    {line}" for line in _values(found.evaluation))
    yield "  card"
    yield from (f"    {line}" for line in _values(found.card))
    yield "  moves"
    yield from (f"    {line}" for line in map(_move, found.moves))
    for rated in found.ratings:
        yield f"  rated          Elo {_points(rated.rating)} in {rated.rating.games} games, iteration {rated.iteration}"


def _why(evidence: Evidence) -> Iterator[str]:
    when = f", {_day(evidence.at)} UTC" if evidence.at is not None else ""
    if evidence.by:
        yield f"  promoted       by hand, by {evidence.by}{when}: {evidence.because}"
    else:
        yield f"  promoted       for request {evidence.request}{when}"
    if evidence.verdict is not None:
        verdict = evidence.verdict
        yield (
            f"  gate           {verdict.decision}: {_rate(verdict)} against {verdict.champion} in {verdict.games} "
            f"games; {verdict.reason}"
        )


def _move(move: Move) -> str:
    why = f": {move.cause}" if move.cause else ""
    return f"{move.kind} to version {move.version}, from {move.replaced or 'none'} ({move.request_id}){why}"


def _values(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if value not in ("", [], {}, None):
            yield f"{name:<26} {json.dumps(value) if isinstance(value, dict | list) else value}"
