"""A client that connects, sends, reconnects and reports everything as records."""
