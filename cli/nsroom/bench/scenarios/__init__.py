"""The load scenarios of the bench command."""
