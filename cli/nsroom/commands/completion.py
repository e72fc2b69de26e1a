"""`nsroom completion`: print, install or remove the completion of a shell."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from nsroom.errors import UsageError
from nsroom.output.stdio import put, say

if TYPE_CHECKING:
    from nsroom.cli.completion import Shell


def completion(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[install|uninstall|SHELL]", help="What to do.", show_default=False),
    ] = None,
    shell: Annotated[
        str | None,
        typer.Argument(
            metavar="[SHELL]", help="bash, zsh, fish or powershell. Default: yours.", show_default=False
        ),
    ] = None,
) -> None:
    """Print, install or remove the completion of your shell.

    It completes commands, options and their values, namespaces, and the servers of the configuration.

    \b
    Examples:
      nsroom completion install          for the shell in $SHELL
      nsroom completion install zsh
      nsroom completion uninstall
      nsroom completion fish             print the script
    """
    from nsroom.cli import completion as scripts

    if what not in ("install", "uninstall"):
        if shell is not None:
            raise UsageError(
                f"unknown action {what!r}: use install or uninstall", "nsroom completion install"
            )
        put(scripts.script(_shell(what)).encode())
        return
    chosen = _shell(shell)
    if what == "install":
        for file in scripts.install(chosen, os.environ):
            say(f"wrote {file}")
        say(f"start a new {chosen} to use it; `nsroom completion uninstall {chosen}` removes it")
        return
    changed = scripts.uninstall(chosen, os.environ)
    for file in changed:
        say(f"{'changed' if file.exists() else 'removed'} {file}")
    if not changed:
        say(f"no completion is installed for {chosen}")


def _shell(name: str | None) -> "Shell":
    from nsroom.cli import completion as scripts

    if name is None:
        return scripts.current_shell(os.environ)
    if name not in list(scripts.Shell):
        raise UsageError(f"unknown shell {name!r:.80}: use {', '.join(scripts.Shell)}")
    return scripts.Shell(name)
