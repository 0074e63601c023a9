"""Makes docs/live-view.svg from a terminal's content, escape codes included, on standard input.

tmux capture-pane -e -p -t SESSION | python docs/live_view.py docs/live-view.svg
"""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def main() -> None:
    """Reads standard input, writes the file named first."""
    text = Text.from_ansi(sys.stdin.read().rstrip())
    width = max(line.cell_len for line in text.split())
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(text, no_wrap=True)
    svg = console.export_svg(title="make run", font_aspect_ratio=0.61)
    # The reader's own monospace font, not one from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    Path(sys.argv[1]).write_text(svg, encoding="utf-8")


main()
