"""Options that several commands share, written once: dataclasses that a command takes as an argument."""
