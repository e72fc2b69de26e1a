"""Explain frames, captures and HAR files."""
