"""What the Helm release gives to every Job: images, and what light stages get, since they take no slot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError

from ringrift_operator.api.base import Value
from ringrift_operator.api.pool import PodTemplate, Queue
from ringrift_operator.api.scalars import PositiveDuration, Quantity

USER = 65532
"""Who the images run as by themselves, also the group of their Pods' volumes."""


class LightStages(Value):
    """adopt, merge, export, promote and rollback run with these, in the pipeline's namespace."""

    image: str = Field(default="", description="Image of their Jobs; empty: the worker's.")
    resources: dict[str, Quantity] = Field(
        default={"cpu": "500m", "memory": "1Gi"}, description="Requests and limits of each."
    )
    deadline: PositiveDuration = Field(default=timedelta(hours=2), description="A stage that takes longer is ended.")
    queue: Queue | None = Field(
        default=None, description="Their Jobs are held until Kueue admits them; omitted: they run at once."
    )
    pod_template: PodTemplate = Field(default=PodTemplate(), description="What their Jobs get besides.")


class Release(Value):
    """The operator's own settings, one YAML file in the chart's ConfigMap."""

    worker_image: str = Field(default="ringrift-worker:dev", min_length=1, description="Image of CPU work.")
    trainer_image: str = Field(default="ringrift-trainer:dev", min_length=1, description="Image of training.")
    image_pull_policy: str = Field(default="IfNotPresent", pattern="^(Always|IfNotPresent|Never)$")
    image_pull_secrets: tuple[str, ...] = Field(default=(), description="Secrets for the images' registry.")
    service_account: str = Field(
        default="", description="ServiceAccount of the Jobs' Pods, which get no token; empty: the namespace's default."
    )
    pod_security_context: dict[str, Any] = Field(
        default={
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        description="Security context of the Jobs' Pods, where a pool has none of its own.",
    )
    security_context: dict[str, Any] = Field(
        default={
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        description="Security context of their containers, likewise.",
    )
    scratch_size: Quantity = Field(
        default="10Gi", description="Most that a stage may keep in /tmp; one that needs more fails, and says so."
    )
    light_stages: LightStages = Field(default=LightStages(), description="What light stages get.")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads the file; ValueError names the file and what is wrong in it."""
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error
        except ValidationError as error:
            places = "; ".join(
                f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}" for each in error.errors()
            )
            raise ValueError(f"{path}: {places}") from error
