"""Records and messages on their way out: streams, files and terminals."""
