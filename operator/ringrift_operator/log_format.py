"""How the operator's log looks: a line of JSON per record in a Pod, short coloured lines on a terminal."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import orjson
from rich.logging import RichHandler

from ringrift_core.streams import can_be_redrawn, console

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "k8s_skip", "k8s_ref"}


class JsonLines(logging.Formatter):
    """One object per record: time, level, logger, message, what was passed in `extra`, and a traceback's text."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in STANDARD},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure_logging(level: int = logging.INFO) -> None:
    """Logs to standard error: our own loggers from `level` up, everyone else's warnings."""
    if can_be_redrawn(sys.stderr):
        handler: logging.Handler = RichHandler(console=console(stderr=True), show_path=False, log_time_format="%X")
        handler.setFormatter(logging.Formatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(JsonLines())
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("ringrift_operator").setLevel(level)
