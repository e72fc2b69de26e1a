"""Keys, commands and completion of the live view."""
