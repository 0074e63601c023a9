"""Who may move what a store holds: one pipeline of one cluster, which its claim names."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from ringrift_core.contract.base import Contract, StageParameters
from ringrift_core.contract.marks import Placement

_Part = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class Holder(Contract):
    """A pipeline, wherever it is. On a command line: `CLUSTER/NAMESPACE/PIPELINE`.

    It is known by its names, not by its object's UID: one that is made anew under them goes on.
    """

    cluster: _Part = Field(description="UID of the cluster's namespace kube-system; of `local`, the machine.")
    namespace: _Part = Field(description="Namespace.")
    pipeline: _Part = Field(description="Name of the pipeline.")

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.pipeline}"

    @classmethod
    def parse(cls, text: str) -> Holder:
        """Reads the command-line form back; ValueError says what was expected."""
        parts = text.split("/")
        if len(parts) != 3:
            raise ValueError(f"expected CLUSTER/NAMESPACE/PIPELINE, found {text!r}")
        return cls(cluster=parts[0], namespace=parts[1], pipeline=parts[2])


def _holder_from_text(value: Any) -> Any:
    return Holder.parse(value) if isinstance(value, str) else value


class ClaimParameters(StageParameters):
    """Of a stage that moves what everybody reads. Who asks is no part of what it makes."""

    holder: Annotated[Holder | None, BeforeValidator(_holder_from_text), Placement()] = Field(
        default=None, description="For whom; omitted: for a person, whom no claim holds up."
    )
    take_over: Annotated[bool, Placement()] = Field(
        default=False, description="Take the store's claim over from whoever holds it."
    )
