"""Control groups, by which Linux bounds what processes may take: those around this one, in either version.

A container, a systemd unit and a batch system each make some, in one another, and a limit on any of them counts.
Sources: cgroups(7), cgroup_namespaces(7), proc_pid_mountinfo(5), Documentation/admin-guide/{cgroup-v1,cgroup-v2} of
Linux.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["CGROUPS", "MEMBERSHIP", "MOUNTS", "around", "words_of"]

CGROUPS = Path("/sys/fs/cgroup")
"""Where they customarily are."""
MEMBERSHIP = Path("/proc/self/cgroup")
MOUNTS = Path("/proc/self/mountinfo")


def around(
    controller: str, cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP, mounts: Path = MOUNTS
) -> tuple[Path, ...]:
    """Folders of the groups that hold this process and may bound `controller` (cpu, memory), each before those above.

    Which of them are there, and bound anything, is told by their files. Empty where there is no Linux.
    """
    mounted = tuple(_mounted(controller, mounts))
    known = {hierarchy.folder for hierarchy in mounted}
    customary = (hierarchy for hierarchy in _customary(controller, cgroups) if hierarchy.folder not in known)
    hierarchies = (*mounted, *customary)
    found = [
        folder
        for is_unified, path in _paths(controller, membership)
        for hierarchy in hierarchies
        if hierarchy.is_unified == is_unified
        for folder in _upwards(hierarchy, path)
    ]
    return tuple(dict.fromkeys(found))


def words_of(file: Path) -> list[str]:
    """Words of a group's file; none where it is not there or cannot be read."""
    try:
        return file.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class _Hierarchy:
    """A tree of groups, as far as it is mounted."""

    folder: Path
    root: PurePosixPath
    """The group that the folder shows, by its path in the hierarchy."""
    is_unified: bool
    """Version 2, which has one hierarchy for all controllers."""


def _paths(controller: str, membership: Path) -> Iterator[tuple[bool, PurePosixPath]]:
    """This process's group in the hierarchies that may have the controller, and whether that is version 2's."""
    try:
        lines = membership.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        lines = ["0::/", f"1:{controller}:/"]
    for line in lines:
        # Hierarchy, controllers, path; version 2 names no controllers.
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            yield not controllers, PurePosixPath(path)


def _mounted(controller: str, mounts: Path) -> Iterator[_Hierarchy]:
    """The hierarchies that may have the controller, wherever they are mounted."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        mount, _, system = line.partition(" - ")
        root, folder = (_unescaped(field) for field in mount.split(" ")[3:5])
        kind, _, options = system.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and controller in options.split(",")):
            yield _Hierarchy(Path(folder), PurePosixPath(root), kind == "cgroup2")


def _customary(controller: str, cgroups: Path) -> tuple[_Hierarchy, ...]:
    """Where they are if /proc hides the mounts, or another file system shows them, as some sandboxes do."""
    top = PurePosixPath("/")
    return _Hierarchy(cgroups, top, is_unified=True), _Hierarchy(cgroups / controller, top, is_unified=False)


def _upwards(hierarchy: _Hierarchy, path: PurePosixPath) -> Iterator[Path]:
    """A group's folder, and those above it up to the hierarchy's. Folders need not be there: a container may see its
    own group as the root, under a path that leads nowhere there."""
    is_shown = path.is_relative_to(hierarchy.root) and ".." not in path.parts
    inside = path.relative_to(hierarchy.root) if is_shown else PurePosixPath()
    for group in (inside, *inside.parents) if inside.parts else (inside,):
        yield hierarchy.folder / group


def _unescaped(field: str) -> str:
    """A field of mountinfo, where blanks are octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)
