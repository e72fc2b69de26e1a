"""Health, metrics and the status line."""
