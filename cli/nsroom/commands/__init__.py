"""The commands, one module each; a command, its module and its function share a name."""

COMMANDS = (
    "serve",
    "connect",
    "join",
    "emit",
    "call",
    "rooms",
    "sockets",
    "tail",
    "top",
    "kick",
    "decode",
    "show",
    "replay",
    "doctor",
    "proxy",
    "bench",
    "demo",
    "servers",
    "completion",
    "help",
)
