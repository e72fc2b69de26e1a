"""The state of the live view, independent of any screen."""
