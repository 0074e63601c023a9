"""`python tests/conformance/pack.py FOLDER`: the traces of FOLDER as tests/conformance/traces.tar.xz.

Games are stored unpacked, since xz then finds what they have in common: 3.5 MB instead of 17. Files are sorted and
carry no times, so that the archive depends on their content only.
"""

from __future__ import annotations

import gzip
import io
import lzma
import sys
import tarfile
from pathlib import Path

ARCHIVE = Path(__file__).with_name("traces.tar.xz")


def members(folder: Path) -> list[tuple[str, bytes]]:
    """(name, content) of every trace, `.gz` unpacked: their form and positions first, then the games by name."""
    games = sorted(path for path in folder.rglob("*.jsonl*") if path.parent != folder)
    paths = [folder / "FORMAT.md", folder / "positions.jsonl", *games]
    found = []
    for path in paths:
        content = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        found.append((name.removesuffix(".gz"), gzip.decompress(content) if name.endswith(".gz") else content))
    return found


def pack(folder: Path, archive: Path) -> None:
    with (
        lzma.open(archive, "wb", preset=9 | lzma.PRESET_EXTREME) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, content in members(folder):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1], "positions.jsonl").is_file():
        sys.exit("usage: python tests/conformance/pack.py FOLDER (with positions.jsonl, canonical/, deployed/)")
    pack(Path(sys.argv[1]), ARCHIVE)
    print(f"{ARCHIVE.name}: {ARCHIVE.stat().st_size} bytes")
