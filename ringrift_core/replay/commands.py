"""`ringrift replay`: looks at recorded games, wherever they are, and checks them."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ringrift_core.contract import ExitCode
from ringrift_core.errors import RingRiftError, StoreRefusedError
from ringrift_core.files import scratch_folder, temporary_folder
from ringrift_core.streams import console

if TYPE_CHECKING:
    from ringrift_core.replay.games import RecordedGame
    from ringrift_core.replay.showing import Ply
    from ringrift_core.replay.sources import GamesFile

__all__ = ["application"]

_FAULTY = 1
"""Exit status of `verify` when a game is not what it says."""

_SOURCES = (
    "SOURCE: a file of games, a configuration of a store (its merged games), a store, or a folder of .sqlite files; "
    "as a path, a file:// or an s3:// address."
)

_TOP_MOVES = 3
"""Moves of a search that `show` lists."""

application = typer.Typer(help="Look at recorded games, and check them (docs/replay.md).", no_args_is_help=True)

_Sources = Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Where the games are, see below.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, a line each, and nothing else.")]


def _epilog(*examples: str) -> str:
    return "\n\n".join([_SOURCES, *(f"Example: ringrift replay {example}" for example in examples)])


@contextmanager
def _opened(command: str, sources: Sequence[str]) -> Iterator[Iterator[GamesFile]]:
    """The files at the sources; failures are one sentence on stderr, with the exit status that stages have for them."""
    from ringrift_core._engine import RulesError
    from ringrift_core.replay.sources import find_files

    try:
        with scratch_folder() as folder:
            yield itertools.chain.from_iterable(find_files(source, folder) for source in sources)
    except (RingRiftError, RulesError, OSError) as failure:
        raise _failed(command, failure) from None


def _failed(command: str, failure: Exception) -> typer.Exit:
    code, sentence = ExitCode.WRONG_INPUT, str(failure)
    if isinstance(failure, OSError):
        sentence = f"{failure.filename or temporary_folder()}: {failure.strerror}"
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            code = ExitCode.NOT_NOW
    elif isinstance(failure, RingRiftError):
        code = failure.exit_code
    typer.echo(f"ringrift replay {command}: {sentence}", err=True)
    return typer.Exit(code)


@application.command(
    "list",
    epilog=_epilog(
        "list ringrift-data/ringrift/square8-2p", 'list shard.sqlite --where "turns > 100" --limit 5 --json'
    ),
)
def list_games(
    sources: _Sources,
    where: Annotated[str, typer.Option(help="Only games for which this is true: SQL over the columns.")] = "1",
    limit: Annotated[int, typer.Option(min=0, help="At most so many games; 0 is all.")] = 20,
    as_json: _Json = False,
) -> None:
    """List games, a line each."""
    from ringrift_core.replay.listing import select

    with _opened("list", sources) as files:
        games = itertools.islice((game for file in files for game in select(file.path, where)), limit or None)
        if as_json:
            for game in games:
                typer.echo(json.dumps(_facts(game)))
            return
        for rules, group in itertools.groupby(games, key=lambda game: game.rules):
            table = Table("id", "seats", "turns", "winner and reason", title=str(rules), box=box.SIMPLE_HEAD)
            table.title_justify = "left"
            for game in group:
                winner = "nobody" if game.winner is None else f"seat {game.winner}"
                table.add_row(game.id[:12], " ".join(game.seats), str(game.turns), f"{winner}: {game.reason}")
            console().print(table)


@application.command(epilog=_epilog("show ringrift-data/ringrift/square8-2p 3f2a --at 10 --at 20"))
def show(
    sources: _Sources,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="The game's id, or the beginning of it.")],
    at: Annotated[list[int] | None, typer.Option(help="Draw the board before this decision; -1 is the end.")] = None,
    bookkeeping: Annotated[bool, typer.Option("--all", help="List bookkeeping moves too.")] = False,
    as_json: _Json = False,
) -> None:
    """Show one game: its moves, what the searches behind them found, and the board."""
    from ringrift_core.replay.showing import boards_at, describe, plies

    if not re.fullmatch(r"[0-9a-fA-F]{1,64}", identifier):
        typer.echo(f"ringrift replay show: ID: {identifier!r} is not up to 64 hexadecimal digits", err=True)
        raise typer.Exit(ExitCode.WRONG_INPUT)
    with _opened("show", sources) as files:
        game = _the_one(files, identifier, sources)
        moves = plies(game)
        wanted = _wanted_boards(at or [-1], moves)
        if as_json:
            typer.echo(json.dumps(_facts(game) | {"plies": [dataclasses.asdict(ply) for ply in moves]}))
            return
        screen = console()
        screen.print(f"game {game.id}", markup=False, soft_wrap=True)
        screen.print(f"{game.rules}", markup=False)
        for seat, name in enumerate(game.seats, 1):
            screen.print(f"seat {seat}: {name}", markup=False)
        if game.swapped:
            screen.print("the players of seats 1 and 2 changed places")
        screen.print(f"{describe(game)}; {game.turns} turns, {game.recorded_moves} moves, {game.decisions} decisions")
        screen.print()
        for line in _move_lines(ply for ply in moves if bookkeeping or not ply.automatic):
            screen.print(line, markup=False, soft_wrap=True)
        screen.print()
        for title, drawing in boards_at(game, wanted, colour=screen.is_terminal and not screen.no_color):
            typer.echo(f"{title}\n\n{drawing}\n")


def _wanted_boards(at: list[int], moves: Sequence[Ply]) -> list[int]:
    """The boards to draw, by decision; StoreRefusedError when the game has none of them."""
    decisions = sum(ply.decision is not None for ply in moves)
    for number in at:
        if not -1 <= number < decisions:
            raise StoreRefusedError(
                f"--at {number}: the game has {decisions} decisions, counted from 0; -1 draws its end"
            )
    return at


def _the_one(files: Iterator[GamesFile], identifier: str, sources: Sequence[str]) -> RecordedGame:
    from ringrift_core.replay.listing import find_by_prefix

    found: dict[str, RecordedGame] = {}
    for file in files:
        for game in find_by_prefix(file.path, identifier):
            found.setdefault(game.id, game)
    if len(found) > 1:
        names = ", ".join(sorted(found)[:2])
        raise StoreRefusedError(f"ID {identifier}: {len(found)} games begin with it ({names}, ...); give more digits")
    if not found:
        raise StoreRefusedError(f"ID {identifier}: no game in {', '.join(sources)} begins with it")
    return next(iter(found.values()))


def _move_lines(plies: Iterable[Ply]) -> Iterator[str]:
    yield "decision  turn  seat  move; then win probability by seat, and the best moves of the search"
    for ply in plies:
        number = "" if ply.decision is None else str(ply.decision)
        line = f"{number:>8}  {ply.turn:>4}  {ply.seat:>4}  {ply.move:<37} "
        if ply.values is not None:
            kind = ply.move.partition(" ")[0] + " "
            best = (f"{move.removeprefix(kind)} {share:.0%}" for move, share in ply.policy[:_TOP_MOVES])
            line += " ".join(f"{value:.2f}" for value in ply.values) + "  " + ", ".join(best)
        yield line.rstrip()


@application.command(epilog=_epilog("verify ringrift-data/ringrift", "verify s3://bucket/run/square8-2p"))
def verify(
    sources: _Sources,
    faults: Annotated[int, typer.Option(min=0, help="Name the first so many faults.")] = 10,
) -> None:
    """Play every game again by the rules, on every core.

    Each must be what its record says: id, every move, outcome, ranks, counts, and the moves of its searches. Merged
    games must be there once, and as many as games.json says. The last line is JSON:
    {"games":N,"verified":N,"faults":N}.
    Exit status: 0 all are, 1 some are not, 2 a source could not be read (the others were verified).
    """
    from ringrift_core.replay.verification import Verification

    verification = Verification()
    named = unreadable = 0
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=None)
        for source in sources:
            try:
                with scratch_folder() as folder:
                    for found in _faults(verification, source, folder):
                        bar.update(task, description=f"{verification.games:,} games, {verification.faults} faults")
                        for fault in found[: max(0, faults - named)]:
                            typer.echo(str(fault))
                        named += len(found)
            except (RingRiftError, OSError) as failure:
                unreadable = max(unreadable, _failed("verify", failure).exit_code)
    for fault in verification.check_together()[: max(0, faults - named)]:
        typer.echo(str(fault))
    counts = {name: getattr(verification, name) for name in ("games", "verified", "faults")}
    typer.echo(json.dumps(counts, separators=(",", ":")))
    if unreadable or verification.faults:
        raise typer.Exit(unreadable or _FAULTY)


def _faults(verification: Any, source: str, folder: Path) -> Iterator[list[Any]]:
    from ringrift_core.replay.sources import find_files

    for file in find_files(source, folder):
        yield from verification.check(file)


@application.command(epilog=_epilog("stats ringrift-data/ringrift", "stats --json shard-1.sqlite shard-2.sqlite"))
def stats(sources: _Sources, as_json: _Json = False) -> None:
    """Count games: lengths, results by seat and player, reasons, games that were cut, duplicates, bytes."""
    from ringrift_core.replay.statistics import Statistics

    found: dict[str, Statistics] = {}
    with _opened("stats", sources) as files:
        for file in files:
            Statistics.collect(found, file)
    for statistics in found.values():
        summary = statistics.summary()
        if as_json:
            typer.echo(json.dumps(summary))
        else:
            _print_summary(summary)


def _print_summary(summary: dict[str, Any]) -> None:
    screen = console()
    screen.print(f"[bold]{summary['rules']}[/]")
    counts = f"{summary['games']:,} games in {summary['files']:,} files, {summary['duplicates']:,} of them duplicates"
    screen.print(counts)
    lengths = Table("length", box=box.SIMPLE_HEAD)
    for heading in ("mean", "least", "median", "p95", "most"):
        lengths.add_column(heading, justify="right")
    for name, length in summary["lengths"].items():
        lengths.add_row(name, *(f"{value:,}" for value in length.values()))
    screen.print(lengths)
    shares = Table("", "share of games", box=box.SIMPLE_HEAD)
    for seat, share in summary["wins_by_seat"].items():
        shares.add_row(f"won by seat {seat}", f"{share:.2%}")
    for reason, share in summary["reasons"].items():
        shares.add_row("cut by the move limit" if reason == "max_moves" else f"ended by {reason}", f"{share:.2%}")
    shares.add_row("sides swapped", f"{summary['swapped_share']:.2%}")
    shares.columns[1].justify = "right"
    screen.print(shares)
    players = Table("player", box=box.SIMPLE_HEAD)
    for heading in ("seats", "wins", "wins a seat"):
        players.add_column(heading, justify="right")
    for name, one in summary["players"].items():
        players.add_row(name, f"{one['seats']:,}", f"{one['wins']:,}", f"{one['wins'] / one['seats']:.2%}")
    screen.print(players)
    size = summary["bytes_per_game"]
    screen.print(
        f"{size['file']:,} bytes a game, of which moves {size['moves']:,} and searches {size['searches']:,} "
        f"({summary['searched_games']:,} games with searches)"
    )


def _facts(game: RecordedGame) -> dict[str, Any]:
    facts = dataclasses.asdict(game)
    facts["rules"] = str(game.rules)
    del facts["moves"], facts["searches"]
    return facts
