"""The state of the live view, without a screen."""
