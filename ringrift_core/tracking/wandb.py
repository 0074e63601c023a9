"""A curve as a run of Weights & Biases: told at once, or offline, kept in the store for `wandb sync FILE`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import wandb

from ringrift_core.contract import WandbMode
from ringrift_core.files import scratch_folder
from ringrift_core.tracking.place import Place

__all__ = ["FILE", "Wandb"]

FILE = "run.wandb"


class Wandb:
    """One run by its name, however many processes it takes: each goes on with it. Nothing but figures is told: no code,
    no machine, no console."""

    def __init__(self, place: Place, after: int, project: str, mode: WandbMode) -> None:
        self._store, self._key = place.archive.store, place.next_key(FILE)
        self._after, self._mode = after, mode
        self._opened = ExitStack()
        self._path = path = self._opened.enter_context(scratch_folder())
        settings = wandb.Settings(
            console="off",
            disable_code=True,
            disable_git=True,
            disable_job_creation=True,
            host="",
            program="",
            root_dir=str(path),
            save_code=False,
            silent=True,
            x_disable_machine_info=True,
            x_disable_meta=True,
            x_disable_stats=True,
            x_save_requirements=False,
        )
        self._run = wandb.init(
            project=project,
            id=place.name,
            name=place.name,
            config=place.configuration,
            mode="offline" if mode is WandbMode.OFFLINE else "online",
            resume="allow",
            dir=str(path),
            settings=settings,
        )

    def tell(self, step: int, figures: Mapping[str, float]) -> None:
        """As a sink. Weights & Biases itself drops steps that it has heard of."""
        self._run.log(dict(figures), step=step)

    def keep(self) -> None:
        """As a sink: what is told online is there; the file of an offline run is whole once it is closed."""

    def close(self) -> None:
        """As a sink."""
        self._run.finish()
        # The file is written by a process of wandb's own, which need not have come to its end before that one does.
        wandb.teardown()
        if self._mode is WandbMode.OFFLINE:
            (written,) = self._path.rglob("*.wandb")
            self._store.upload(self._key, written)
        self._opened.close()
