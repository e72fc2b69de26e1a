"""The commands, one module each; a command, its module and its function share a name."""

GROUPS = {
    "Talk": ("connect", "join", "emit", "call", "reply"),
    "See": ("rooms", "sockets", "tail", "top", "kick", "proxy"),
    "Find out": ("doctor", "decode"),
    "Again": ("show", "replay", "diff", "test"),
    "Serve": ("serve", "bench", "demo"),
    "Help": ("help", "servers", "completion"),
}
COMMANDS = tuple(name for names in GROUPS.values() for name in names)
