"""The dialogue: shows the game, asks people, lets players think, until the game or the input ends."""

from __future__ import annotations

import shlex
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from ringrift_core._engine import Move
from ringrift_core.contract import ExitCode
from ringrift_core.drawing.layout import LAYOUTS
from ringrift_core.play.advice import Adviser
from ringrift_core.play.saving import SavedGame
from ringrift_core.play.screen import Screen, shortened
from ringrift_core.play.table import Played, Table
from ringrift_core.play.typed import NoFit, Picked, Several, read_move

__all__ = ["INTERRUPTED", "Pace", "Session"]

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 and the signal's number, as shells have it."""

HELP = """\
A move, in any of these ways (cells are column,row):
  3,4 2              a cell and how many rings, when placing
  3,4                the moves that start there, with numbers; 2 plays number 2
  3,4>3,6            from and to, captures as well
  capture, skip      a kind of move or its beginning
  move_stack 3,4>3,6 the whole notation
Or a word:
  moves    numbers every legal move      hint      the best moves, by search
  undo     back to your last decision    bar       chances on or off
  board    the whole board               look 3,4  moves the view
  save X   to file X; --load X goes on   quit      ends
On the board: ●3 a stack of three rings of seat 1, ●5/2 five rings with a cap of
two, • a marker, ▐1▌ a collapsed cell, [●3] the stack that must move, a number
where that move ends. Counts: rings in hand, rings out (eliminated), land
(collapsed cells), each with what wins. The game on a page: docs/game.md"""


class _Leave(Exception):  # noqa: N818
    """The person has had enough."""


@dataclass(frozen=True)
class Pace:
    """Of games between players: seconds after each decision, and whether Enter is waited for."""

    delay: float = 0.0
    step: bool = False


class Session:
    """One game at one terminal."""

    def __init__(
        self,
        table: Table,
        names: list[str],
        adviser: Adviser,
        console: Console,
        pace: Pace,
        remarks: Sequence[str] = (),
    ) -> None:
        self.table = table
        self.names = names
        self.adviser = adviser
        self.console = console
        self.pace = pace
        self.screen = Screen(console)
        self.bar = True
        self._interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._commands: dict[str, Callable[[str], None]] = {
            "help": lambda _: self.screen.say(*HELP.splitlines()),
            "moves": lambda _: self._list(self.table.game.legal_moves()),
            "hint": lambda _: self._hint(),
            "undo": lambda _: self._undo(),
            "bar": lambda _: self._toggle_bar(),
            "board": lambda _: self.screen.say(*self.screen.whole_board(self.table)),
            "look": self._look,
            "save": self._save,
            "quit": lambda _: self._quit(),
        }
        self._short = {"?": "help", "h": "help", "u": "undo", "b": "board", "q": "quit", "exit": "quit"}
        self._listed: tuple[Move, ...] = ()
        self._remarks = remarks
        """To be told once: below the first frame, or where frames are not drawn over one another, before it."""
        self._told = 0
        """Entries of the log that were told, where frames are not drawn over one another."""

    def run(self) -> int:
        """Plays; returns the exit status."""
        if self._interactive:
            import readline  # noqa: F401 - gives input() its editing and history
        if not self.console.is_terminal:
            self.screen.say(*self._remarks)
            self._remarks = ()
        try:
            while not self.table.is_over:
                if self.table.agents[self.table.to_decide].is_human:
                    self._ask_person()
                else:
                    self._ask_player()
        except EOFError:
            self.screen.say("", f"End of input: the game stops in turn {self.table.game.turn}.")
            return ExitCode.DONE
        except KeyboardInterrupt:
            self.screen.say("", f"Stopped in turn {self.table.game.turn}.")
            return INTERRUPTED
        except _Leave:
            return ExitCode.DONE
        self._finish()
        return ExitCode.DONE

    @property
    def _watched(self) -> bool:
        return not any(agent.is_human for agent in self.table.agents)

    def _ask_player(self) -> None:
        name = self.table.agents[self.table.to_decide].name
        if self._interactive and not self._watched:
            with self.console.status(f"{name} thinks", spinner="dots"):
                choice = self.table.choose()
        else:
            choice = self.table.choose()
        self.table.play(choice.move)
        if not self._watched:
            return
        if not self.console.is_terminal:
            self._tell_whole_turns()
        elif not self.table.is_over:
            self._frame(self.table.log[-1:] and self.table.since_last_decision_of(None)[-4:])
            self._wait()

    def _wait(self) -> None:
        if self.pace.step:
            if self._read("Enter: next decision, q: quit> ").strip().lower() in ("q", "quit", "exit"):
                raise _Leave
        else:
            time.sleep(self.pace.delay)

    def _tell_whole_turns(self) -> None:
        turn = self.table.game.turn
        whole = [played for played in self.table.log[self._told :] if played.turn < turn or self.table.is_over]
        self._told += len(whole)
        for line in self.screen.told(self.table, whole):
            self.screen.say(Text(f"{whole[0].turn:>4} ").append_text(line))

    def _ask_person(self) -> None:
        """Shows the position and reads until something was played or taken back."""
        legal = self.table.game.legal_moves()
        self._listed = tuple(legal) if self.screen.can_list(self.table.game, legal) else ()
        self._show_decision()
        decisions = len(self.table.log)
        while len(self.table.log) == decisions and not self.table.is_over:
            line = self._read("> ").strip()
            if not line:
                self._show_decision()
                continue
            self._obey(line, legal)

    def _obey(self, line: str, legal: Sequence[Move]) -> None:
        word, _, rest = line.partition(" ")
        command = self._short.get(word.lower(), word.lower())
        if command in self._commands:
            self._commands[command](rest.strip())
            return
        reading = read_move(line, legal, self._listed)
        match reading:
            case Picked(move):
                self.table.play(move)
            case Several(moves):
                self._list(moves)
            case NoFit(sentence):
                self.screen.say(sentence)

    def _list(self, moves: Sequence[Move]) -> None:
        """Numbers moves, on the board as well where frames replace one another."""
        self._listed = tuple(moves)
        if self.console.is_terminal and self.screen.can_list(self.table.game, moves):
            self._show_decision()
        else:
            self.screen.say(*self.screen.numbered(moves))

    def _hint(self) -> None:
        name = self.table.agents[self.table.to_decide].name
        hints = self.adviser.hints(self.table.game)
        self._listed = tuple(hint.move for hint in hints)
        for number, hint in enumerate(hints, start=1):
            verb = "win" if name == "you" else "wins"
            self.screen.say(f"{number:>3} {shortened(str(hint.move)):<34} {name} {verb} with {hint.chance:.0%}")

    def _undo(self) -> None:
        if not self.table.undo():
            self.screen.say("There is nothing to take back: nobody at this terminal has decided anything yet.")

    def _toggle_bar(self) -> None:
        self.bar = not self.bar
        self._show_decision()

    def _look(self, rest: str) -> None:
        x, _, y = rest.partition(",")
        try:
            cell = int(x), int(y)
        except ValueError:
            self.screen.say("look: which cell? Write it as 3,4")
            return
        if not any(cell in row for row in LAYOUTS[self.table.game.board].rows()):
            self.screen.say(f"look: {rest} is off the board")
            return
        self.screen.centre = cell
        self._show_decision()
        self.screen.centre = None

    def _save(self, rest: str) -> None:
        try:
            (name,) = shlex.split(rest)
        except ValueError:
            self.screen.say("save: to which file? `save game.json`")
            return
        path = Path(name).expanduser()
        try:
            SavedGame.of(self.table, self.names).save(path)
        except OSError as error:
            self.screen.say(f"save: {path}: {error.strerror}")
            return
        self.screen.say(f"Saved; `ringrift play --load {shlex.quote(name)}` goes on from here.")

    def _quit(self) -> None:
        raise _Leave

    def _show_decision(self) -> None:
        legal = self.table.game.legal_moves()
        moves = self.screen.numbered(self._listed) if self._listed else self.screen.overview(legal)
        below = [*moves, self.screen.asked(self.table)]
        if self._interactive:
            below[-1].append("   (? for help)", style="dim")
        self._frame(self.table.since_last_decision_of(self.table.to_decide), below)

    def _frame(self, since: Sequence[Played], below: Sequence[Text] = ()) -> None:
        chances = self.adviser.chances(self.table.game) if self.bar else None
        remarks = [Text(line) for remark in self._remarks for line in textwrap.wrap(remark, self.console.width)]
        self._remarks = ()
        self.screen.show(self.table, chances=chances, since=since, listed=self._listed, below=[*remarks, *below])

    def _finish(self) -> None:
        self._listed = ()
        since = self.table.since_last_decision_of(None)[-4:]
        self._frame(since if self.console.is_terminal or not self._watched else (), self.screen.ending(self.table))

    def _read(self, prompt: str) -> str:
        """A line; what is piped in is shown behind the prompt. EOFError at the end."""
        if self._interactive:
            return input(prompt)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        self.screen.say(prompt + line.rstrip("\n"))
        return line
