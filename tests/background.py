"""What the tests have going on beside them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from tests import patience


class InBackground(ABC):
    """Works in a thread for as long as the block runs; what the work raises is raised at the block's end."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        """Set when the work is to end."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(patience.SECONDS)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as error:
            self._error = error

    @abstractmethod
    def _loop(self) -> None:
        """Until `_stopping` is set."""
