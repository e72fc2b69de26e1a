"""A server that a script describes."""
