"""The commands: one module each; the command, its module and its function share a name."""
