"""What each account of an installed release may do, and how large the images are: as `kubectl` and the files tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from images.build import build_with_buildah
from images.contents import OPERATOR, WORKER, Image
from tests.cluster.kubectl import Kubectl
from tests.e2e.conftest import RELEASE_NAMESPACE

MEGABYTE = 1_000_000
EVERYBODYS = {
    "selfsubjectaccessreviews.authorization.k8s.io",
    "selfsubjectrulesreviews.authorization.k8s.io",
    "selfsubjectreviews.authentication.k8s.io",
}
"""Each account may ask what it may do."""


def listed(release: Kubectl, account: str) -> str:
    """`kubectl auth can-i --list` for an account, in the release's namespace."""
    return release("auth", "can-i", "--list", f"--as=system:serviceaccount:{RELEASE_NAMESPACE}:{account}")


def granted(table: str) -> dict[str, set[str]]:
    """Verbs by resource, of the rows that name one; rows of paths (`/healthz`) begin with blanks."""
    rows = [line for line in table.splitlines()[1:] if line and not line.startswith(" ")]
    return {row.split()[0]: set(row[row.rindex("[") + 1 : row.rindex("]")].split()) for row in rows}


def test_a_worker_may_do_nothing_and_the_operator_may_not_read_secrets(
    release: Kubectl, output_directory: Path
) -> None:
    tables = {name: listed(release, name) for name in ("ringrift-operator", "ringrift-worker")}
    (output_directory / "rights.txt").write_text("\n".join(f"{name}:\n{table}" for name, table in tables.items()))
    assert set(granted(tables["ringrift-worker"])) == EVERYBODYS
    operator = granted(tables["ringrift-operator"])
    assert "create" in operator["jobs.batch"]
    assert "secrets" not in operator
    assert not [resource for resource, verbs in operator.items() if "*" in verbs or resource.startswith("*")]


@pytest.mark.parametrize(("image", "megabytes"), [(OPERATOR, 200), (WORKER, 500)], ids=["operator", "worker"])
def test_an_image_is_no_larger_than_it_should_be(image: Image, megabytes: int, output_directory: Path) -> None:
    size = Path(build_with_buildah(image)).stat().st_size
    with (output_directory / "images.txt").open("a") as report:
        report.write(f"{image.name:10} {size / MEGABYTE:.0f} MB unpacked\n")
    assert size <= megabytes * MEGABYTE
