"""The completion scripts of the shells, and where they are installed."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from nsroom.errors import OutputError, UsageError

MARK = "# nsroom completion"
"""Ends the line in a shell's start-up file that loads the script."""


class Shell(StrEnum):
    """The supported shells."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


# Each script asks nsroom with the words up to the cursor: `WORD<TAB>HELP` lines, or `:files`.
_BASH = """\
_nsroom_completion() {
    local answer word words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    answer=$(_NSROOM_COMPLETE=1 "$1" "${words[@]}" 2>/dev/null)
    COMPREPLY=()
    [[ $answer == :files* ]] && { compopt -o default; return 0; }
    while IFS=$'\\t' read -r word _; do
        [[ -n $word ]] && COMPREPLY+=("$word")
    done <<< "$answer"
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
}
complete -F _nsroom_completion nsroom
"""
_ZSH = """\
#compdef nsroom
_nsroom_completion() {
    local line word answer
    local -a found open
    answer="$(_NSROOM_COMPLETE=1 "${words[1]}" "${(@)words[2,CURRENT]}" 2>/dev/null)"
    [[ $answer == :files* ]] && { _files; return }
    for line in "${(@f)answer}"; do
        word="${line%%$'\\t'*}"
        [[ -z $word ]] && continue
        if [[ $word == *= ]]; then
            open+=("$word")
        else
            found+=("${word//:/\\\\:}:${line#*$'\\t'}")
        fi
    done
    (( $#open )) && compadd -S '' -- "${open[@]}"
    (( $#found )) && _describe -V nsroom found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _nsroom_completion nsroom
"""
_FISH = """\
function __nsroom_completion
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (_NSROOM_COMPLETE=1 $words[1] $words[2..-1] 2>/dev/null)
    if string match -q ':files*' -- "$answer[1]"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $answer
    end
end
complete -c nsroom -f -a '(__nsroom_completion)'
"""
_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName nsroom -ScriptBlock {
    param($word, $line, $cursor)
    $words = @($line.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.StartOffset -lt $cursor } | ForEach-Object { "$_" })
    if (-not $word) { $words += '""' }
    $env:_NSROOM_COMPLETE = 1
    try { $answer = & nsroom @words 2>$null } finally { Remove-Item Env:_NSROOM_COMPLETE }
    $answer | Where-Object { $_ -and $_ -notlike ':files*' } | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        [System.Management.Automation.CompletionResult]::new(
            $value, $value, 'ParameterValue', $(if ($help) { $help } else { $value }))
    }
}
"""
_SCRIPTS = {Shell.BASH: _BASH, Shell.ZSH: _ZSH, Shell.FISH: _FISH, Shell.POWERSHELL: _POWERSHELL}


def script(shell: Shell) -> str:
    """Return the completion script for a shell."""
    return _SCRIPTS[shell]


def current_shell(environment: Mapping[str, str]) -> Shell:
    """Return the user's shell. Raises: UsageError if it is not one of those supported."""
    name = Path(environment.get("SHELL", "")).name
    if not name and "PSModulePath" in environment:
        return Shell.POWERSHELL
    try:
        return Shell(name.removeprefix("-"))
    except ValueError:
        raise UsageError(
            f"cannot tell your shell{f' from {name!r}' if name else ''}: name one of {', '.join(Shell)}"
        ) from None


def script_file(shell: Shell, environment: Mapping[str, str]) -> Path:
    """Return where the script is installed."""
    home = Path(environment.get("HOME") or Path.home())
    if shell is Shell.FISH:
        return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions/nsroom.fish"
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    return data / "nsroom" / f"completion.{'ps1' if shell is Shell.POWERSHELL else shell}"


def startup_file(shell: Shell, environment: Mapping[str, str]) -> Path | None:
    """Return the file in which a line loads the script, or None if the shell finds it by itself."""
    home = Path(environment.get("HOME") or Path.home())
    if shell is Shell.FISH:
        return None
    if shell is Shell.ZSH:
        return Path(environment.get("ZDOTDIR") or home) / ".zshrc"
    if shell is Shell.BASH:
        return home / ".bashrc"
    folder = home / "Documents/PowerShell" if os.name == "nt" else home / ".config/powershell"
    return folder / "Microsoft.PowerShell_profile.ps1"


def install(shell: Shell, environment: Mapping[str, str]) -> list[Path]:
    """Install the script, and return the files that were written. Raises: OutputError."""
    target, startup = script_file(shell, environment), startup_file(shell, environment)
    _write(target, script(shell))
    if startup is None:
        return [target]
    load = "." if shell is Shell.POWERSHELL else "source"
    kept = _without_mark(startup)
    if kept and not kept.endswith("\n"):
        kept += "\n"
    _write(startup, f"{kept}{load} '{target}' {MARK}\n")
    return [target, startup]


def uninstall(shell: Shell, environment: Mapping[str, str]) -> list[Path]:
    """Remove what `install` wrote, and return the files that were changed. Raises: OutputError."""
    target, startup = script_file(shell, environment), startup_file(shell, environment)
    changed = []
    if target.exists():
        try:
            target.unlink()
        except OSError as error:
            raise OutputError(f"cannot remove {target}: {error.strerror}") from None
        changed.append(target)
    if startup is not None and startup.exists() and MARK in _read(startup):
        _write(startup, _without_mark(startup))
        changed.append(startup)
    return changed


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise OutputError(f"cannot read {file}: {error.strerror}") from None


def _without_mark(file: Path) -> str:
    return "".join(line for line in _read(file).splitlines(keepends=True) if not line.rstrip().endswith(MARK))


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise OutputError(f"cannot write to {file}: {error.strerror}") from None
