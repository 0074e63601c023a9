"""A curve as event files of TensorBoard: `tensorboard --logdir <store>` shows all runs of a store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from ringrift_core.files import scratch_folder
from ringrift_core.tracking.place import Place

__all__ = ["FILE", "TensorBoard"]

FILE = "events.out.tfevents"
"""What TensorBoard knows its files by. Its own names have the machine's in them."""


class TensorBoard:
    """Each process writes a file of its own. One that goes on says from where, and readers forget what came after."""

    def __init__(self, place: Place, after: int) -> None:
        self._store, self._key = place.archive.store, place.next_key(FILE)
        self._opened = ExitStack()
        self._path = self._opened.enter_context(scratch_folder())
        self._writer = EventFileWriter(str(self._path))
        self._opened.callback(self._writer.close)
        if after:
            started = SessionLog(status=SessionLog.START)
            self._writer.add_event(Event(step=after + 1, wall_time=time.time(), session_log=started))

    def tell(self, step: int, figures: Mapping[str, float]) -> None:
        """As a sink."""
        values = [Summary.Value(tag=name, simple_value=figure) for name, figure in figures.items()]
        self._writer.add_event(Event(step=step, wall_time=time.time(), summary=Summary(value=values)))

    def keep(self) -> None:
        """As a sink."""
        self._writer.flush()
        (written,) = self._path.iterdir()
        self._store.upload(self._key, written)

    def close(self) -> None:
        """As a sink."""
        self._opened.close()
