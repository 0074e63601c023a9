"""`ringrift play`: what it takes on the command line."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Annotated

import typer

from ringrift_core.contract import HIGHEST_SEED, Board, ExitCode

__all__ = ["play"]

_Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PLAYER]...",
        help="human; a difficulty (1 to 10) or its name; or JUDGE[@VERSION|=FILE]:SEARCH[:BUDGET], such as "
        "weights:minimax:25000, network:gumbel:64, weights@2:descent:1s; weights or network alone: the champion as it "
        "is gated. One name: whom you play against. Two to four: the seats. None: you against difficulty 3.",
        show_default=False,
    ),
]


def play(
    names: _Names = None,
    board: Annotated[Board, typer.Option(help="Which board.")] = Board.SQUARE8,
    players: Annotated[int | None, typer.Option(min=2, max=4, help="Seats, unless they are named.")] = None,
    swap: Annotated[
        bool | None, typer.Option("--swap / --no-swap", help="The pie rule; on with two players, off with more.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=HIGHEST_SEED, help="Of the players' chance; omitted: another every time.")
    ] = None,
    store: Annotated[str | None, typer.Option(help="Where champions are: those that judge.")] = None,
    delay: Annotated[float, typer.Option(min=0, max=60, help="Watching: seconds after each decision.")] = 0.5,
    step: Annotated[bool, typer.Option("--step", help="Watching: go on at Enter.")] = False,
    load: Annotated[Path | None, typer.Option(help="Go on with a saved game.", metavar="FILE")] = None,
) -> None:
    """Play in the terminal: you against a player, people against each other, or players for you to watch.

    ringrift play; ringrift play 5; ringrift play 3 human; ringrift play human human; ringrift play 2 6 --board hex8;
    ringrift play weights:minimax:6ms; ringrift play network:gumbel:64 --store s3://ringrift/main
    """
    from ringrift_core._engine import RulesError
    from ringrift_core.errors import RingRiftError, WrongInputError
    from ringrift_core.files import scratch_folder
    from ringrift_core.game import Game
    from ringrift_core.play.advice import Adviser
    from ringrift_core.play.saving import SavedGame
    from ringrift_core.play.seats import Casting, seat_names
    from ringrift_core.play.session import INTERRUPTED, Pace, Session
    from ringrift_core.play.table import Table
    from ringrift_core.streams import console as console_here

    console = console_here()
    try:
        saved = SavedGame.load(load) if load is not None else None
        if saved is not None:
            seated, game = list(names or saved.seats), saved.fresh_game()
            if len(seated) != saved.players:
                raise WrongInputError(f"{load}: a game of {saved.players}, but {len(seated)} players are named")
        else:
            seated = seat_names(names or [], players)
            game = Game(board, len(seated), swap=swap)
        if seed is None:
            seed = saved.seed if saved is not None else random.SystemRandom().randrange(2**31)
        with scratch_folder("ringrift-play-") as folder:
            casting = Casting.of(Board(game.board), game.players, store, folder)
            table = Table(game, casting.agents(seated), seed)
            if saved is not None and load is not None:
                saved.replay(table, load)
            adviser = Adviser(casting.seating)
            pace = Pace(delay if console.is_terminal else 0.0, step)
            status = Session(table, seated, adviser, console, pace, casting.remarks(seated)).run()
    except (RingRiftError, RulesError) as error:
        typer.echo(f"ringrift play: {error}", err=True)
        raise typer.Exit(error.exit_code if isinstance(error, RingRiftError) else ExitCode.WRONG_INPUT) from None
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(status)
