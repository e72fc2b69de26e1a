"""The screen of the live view: its lines, and the windows that show them."""
