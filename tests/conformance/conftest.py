from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.conformance.readable import ARCHIVE


@pytest.fixture(scope="package")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, unpacked."""
    folder = tmp_path_factory.mktemp("traces")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder
