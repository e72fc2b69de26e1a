"""The shell completion scripts, which ask nsroom for the completions of each word."""

from enum import StrEnum

FILE_OPTIONS = ("--save", "--cacert", "--cert", "--key", "--tls-cert", "--tls-key", "--history")
FILE_COMMANDS = ("decode", "replay", "show")


class Shell(StrEnum):
    """The supported shells."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# typer's own scripts fall back to files everywhere: a namespace would complete to /bin.
_BASH = """\
_nsroom_completion() {
    local IFS=$'\\n'
    COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
        _NSROOM_COMPLETE=complete_bash "$1" 2>/dev/null))
    [ ${#COMPREPLY[@]} -eq 0 ] || return 0
    case "${COMP_WORDS[1]}:${COMP_WORDS[COMP_CWORD-1]}" in
        FILES) compopt -o default ;;
    esac
}
complete -F _nsroom_completion nsroom
"""
_ZSH = """\
#compdef nsroom
_nsroom_completion() {
    local answer="$(_TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \\
        _NSROOM_COMPLETE=complete_zsh "${words[1]}" 2>/dev/null)"
    if [[ $answer != _files ]]; then
        eval "$answer"
        return
    fi
    case "${words[2]}:${words[CURRENT-1]}" in
        (FILES) _files ;;
    esac
}
compdef _nsroom_completion nsroom
"""
_FISH = """\
function __nsroom_completion
    set -l answer (env _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) \\
        _TYPER_COMPLETE_FISH_ACTION=get-args _NSROOM_COMPLETE=complete_fish nsroom 2>/dev/null)
    if test -n "$answer"
        printf '%s\\n' $answer
        return
    end
    set -l words (commandline -opc)
    switch "$words[2]:$words[-1]"
        case FILES
            __fish_complete_path (commandline -ct)
    end
end
complete -c nsroom -f -a '(__nsroom_completion)'
"""
_SCRIPTS = {Shell.BASH: (_BASH, "", "|"), Shell.ZSH: (_ZSH, "", "|"), Shell.FISH: (_FISH, "'", " ")}


def script(shell: Shell) -> str:
    """Return the completion script for a shell."""
    text, quote, between = _SCRIPTS[shell]
    places = [f"{command}:*" for command in FILE_COMMANDS] + [f"*:{option}" for option in FILE_OPTIONS]
    return text.replace("FILES", between.join(f"{quote}{place}{quote}" for place in places))
