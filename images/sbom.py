"""What is in an image, read from the image itself, and told as a CycloneDX document."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import IO

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

DPKG_STATUS = "var/lib/dpkg/status"


@dataclass(frozen=True, order=True)
class Package:
    """One installed package: of Debian (`deb`) or of Python (`pypi`)."""

    kind: str
    name: str
    version: str
    architecture: str = ""
    """Of Debian's packages."""

    @property
    def url(self) -> PackageURL:
        """Its package URL, by which scanners know it."""
        place = "debian" if self.kind == "deb" else None
        qualifiers = {"arch": self.architecture} if self.architecture else None
        return PackageURL(self.kind, place, self.name, self.version, qualifiers)


def packages_in(archive: Path) -> set[Package]:
    """The packages installed in the image of a docker-archive."""
    found: set[Package] = set()
    for name, content in _files(archive):
        if name == DPKG_STATUS:
            # The last layer's counts, whole.
            found = {package for package in found if package.kind != "deb"} | set(_debian(content.decode()))
        else:
            about = HeaderParser().parsestr(content.decode())
            found.add(Package("pypi", about["Name"].lower().replace("_", "-"), about["Version"]))
    return found


def _files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """dpkg's list and the metadata of Python's distributions, layer by layer."""
    with tarfile.open(archive) as image:
        (manifest,) = json.load(_opened(image, "manifest.json"))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=_opened(image, layer)) as files:
                for member in files:
                    name = member.name.removeprefix("./").removeprefix("/")
                    path = PurePosixPath(name)
                    is_metadata = path.name == "METADATA" and path.parent.suffix == ".dist-info"
                    if member.isfile() and (name == DPKG_STATUS or is_metadata):
                        content = files.extractfile(member)
                        assert content is not None
                        yield name, content.read()


def _opened(image: tarfile.TarFile, name: str) -> IO[bytes]:
    content = image.extractfile(name)
    assert content is not None, f"{image.name!r}: {name} is no file"
    return content


def _debian(status: str) -> Iterator[Package]:
    for paragraph in status.strip().split("\n\n"):
        about = HeaderParser().parsestr(paragraph)
        if about["Status"].endswith(" installed"):
            yield Package("deb", about["Package"], about["Version"], about["Architecture"])


def document(name: str, version: str, packages: set[Package]) -> str:
    """The CycloneDX 1.6 document of an image."""
    image = Component(type=ComponentType.CONTAINER, name=name, version=version, bom_ref=name)
    listed = [
        Component(
            type=ComponentType.LIBRARY,
            name=package.name,
            version=package.version,
            purl=package.url,
            bom_ref=package.url.to_string(),
        )
        for package in sorted(packages)
    ]
    bom = Bom(components=listed)
    bom.metadata.component = image
    bom.register_dependency(image, listed)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
