# SPDX-License-Identifier: MIT
"""A root directory that has Python and the libraries of what is put into it, and nothing else.

It is made of copies, so chroot is all that has to be permitted to go into it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import files
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns("config-*", "ensurepip", "idlelib", "test")
PATH_OF_LIBRARY = re.compile(r"(/\S+) \(0x")


class RootDirectory:
    def __init__(self, path: Path) -> None:
        """Makes it; `path` does not exist yet."""
        self.path = path
        for folder in ("dev/shm", "tmp"):
            (path / folder).mkdir(parents=True)
            (path / folder).chmod(0o1777)
        # A device would need more than chroot; to those who read nothing this is the same.
        (path / "dev/null").touch()
        (path / "dev/null").chmod(0o666)
        self._put_python()

    def put(self, source: Path, target: str) -> None:
        """A file; `target` is where it is to be in here."""
        here = self.path / target
        here.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, here)

    def put_distribution(self, name: str, folder: str) -> None:
        """A Python package of this environment, without what it needs."""
        for file in files(name) or []:
            if file.parts[0] != "..":
                self.put(Path(str(file.locate())), f"{folder}/{file}")

    def put_libraries(self) -> None:
        """At last, those that what is in here needs."""
        needing = [file for file in self.path.rglob("*") if is_elf(file)]
        told = subprocess.run(["ldd", *needing], capture_output=True, text=True).stdout
        for library in set(PATH_OF_LIBRARY.findall(told)):
            self.put(Path(library), library.removeprefix("/"))

    def _put_python(self) -> None:
        """As /usr/bin/python3, with the standard library where it looks for it."""
        self.put(Path(sys.executable).resolve(), "usr/bin/python3")
        library = Path(sysconfig.get_path("stdlib"))
        here = self.path / "usr/lib" / library.name
        shutil.copytree(library, here, ignore=LEFT_OUT, symlinks=True)


def is_elf(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(4) == b"\x7fELF"
