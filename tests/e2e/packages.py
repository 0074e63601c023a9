"""What is said to be in an image, and what its own programs find there."""

from __future__ import annotations

import json

from images.build import build_with_buildah, list_of
from images.contents import Image
from tests.cluster.kubectl import Kubectl
from tests.e2e.test_node import job, run

_PROGRAM = """
import importlib.metadata, pathlib, subprocess, sys
roots = [pathlib.Path(root) for root in sys.path if pathlib.Path(root).is_dir()]
# Those that another package has brought along as well, such as setuptools'.
places = {str(found.parent) for root in roots for found in root.rglob("*.dist-info")}
for each in importlib.metadata.distributions(path=sorted(places)):
    print("pypi", each.name.lower().replace("_", "-"), each.version)
form = "deb ${Package} ${Version}\\n"
print(subprocess.run(["dpkg-query", "--show", "--showformat", form], capture_output=True, text=True, check=True).stdout)
"""

Packages = set[tuple[str, str, str]]
"""Kind (`deb`, `pypi`), name and version of each."""


def found_in(reference: str, kubectl: Kubectl) -> Packages:
    """By Python and dpkg, in a Pod of the image."""
    run(kubectl, job(reference, _PROGRAM))
    lines = [tuple(line.split()) for line in kubectl("logs", "job/job").splitlines() if line.strip()]
    return {(kind, name, version) for kind, name, version in lines}


def listed_beside(image: Image) -> Packages:
    """By its CycloneDX document."""
    components = json.loads(list_of(build_with_buildah(image)).read_text())["components"]
    return {(each["purl"].removeprefix("pkg:").partition("/")[0], each["name"], each["version"]) for each in components}
