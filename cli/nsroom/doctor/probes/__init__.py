"""Single requests and sessions for the checks, driven by hand."""
