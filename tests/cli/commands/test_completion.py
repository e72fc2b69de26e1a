"""`nsroom completion` prints, installs and removes; other words are usage errors."""

from pathlib import Path

from tests.peers.program import Runner


async def test_the_command(nsroom: Runner, tmp_path: Path) -> None:
    home = {"SHELL": "/bin/bash"}
    assert (await nsroom("completion", env=home)).stdout == (await nsroom("completion", "bash")).stdout
    installed = await nsroom("completion", "install", env=home)
    assert (installed.code, installed.stdout) == (0, "")
    assert f"nsroom: wrote {tmp_path}/.bashrc\n" in installed.stderr
    assert (
        f"nsroom: changed {tmp_path}/.bashrc\n" in (await nsroom("completion", "uninstall", env=home)).stderr
    )
    for line in ("tcsh", "install tcsh", "remove bash"):
        assert (await nsroom("completion", *line.split())).code == 2
