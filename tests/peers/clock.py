"""The wall clock of other programs, moved by the test: a library that they preload shifts what they read."""

import shutil
import struct
import subprocess
from pathlib import Path

COMPILER = shutil.which("cc")
_SOURCE = Path(__file__).with_name("clock.c")


class WallClock:
    """A clock for the programs that run with `variables`; it starts right."""

    def __init__(self, folder: Path) -> None:
        assert COMPILER
        self._file, library = folder / "clock", folder / "clock.so"
        self._file.write_bytes(bytes(8))
        command = (COMPILER, "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl")
        subprocess.run(command, check=True)
        self.variables = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(self._file)}

    def jump(self, seconds: float) -> None:
        """Be so many seconds ahead of the system's clock; 0 is right again."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("d", seconds))
