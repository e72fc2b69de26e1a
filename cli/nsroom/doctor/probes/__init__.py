"""Single requests and hand-driven sessions for the checks."""
