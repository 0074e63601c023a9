"""This machine as a WorkerPool, for files that hold none."""

from __future__ import annotations

import re
import socket

from ringrift_core.cores import available_cores
from ringrift_core.memory import available_memory
from ringrift_operator.api.pool import WorkerPoolSpec
from ringrift_operator.domain.recipes import SHIPPED, Recipes
from ringrift_operator.domain.snapshot import PoolObservation
from ringrift_operator.processes.devices import fastest_device

NAME = "this-machine"


def this_machine(recipes: Recipes = SHIPPED) -> PoolObservation:
    """One slot to learn, for stages that look for the fastest device, and one to play, for all others of the recipes,
    each with what control groups leave of the machine to this process.

    A stage uses all cores by itself: more would only get in each other's way.
    """
    resources = {"cpu": str(available_cores()), "memory": str(available_memory().size)}
    heavy = {step.listed_as: step.handling for step in recipes.steps.values() if step.is_listed}
    learn = [stage.value for stage, handling in heavy.items() if handling.prefers_accelerator]
    play = [stage.value for stage in heavy if stage.value not in learn]
    slots = [
        {"name": "play", "stages": play, "resources": resources},
        {"name": "learn", "stages": learn, "resources": resources, "device": fastest_device().value},
    ]
    spec = {"type": "Runner", "slots": [slot for slot in slots if slot["stages"]]}
    return PoolObservation(NAME, WorkerPoolSpec.model_validate(spec))


def machine_name() -> str:
    """This machine, in the words of a store's claim."""
    return re.sub(r"[^A-Za-z0-9._-]|^[._-]+", "", socket.gethostname())[:63] or NAME
