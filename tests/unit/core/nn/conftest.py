"""Tests of small networks run on one thread: on a shared machine more only wait for each other."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr("ringrift_core.nn.inference.available_cores", lambda: 1)
