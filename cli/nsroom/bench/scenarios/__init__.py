"""The scenarios of the bench command."""
