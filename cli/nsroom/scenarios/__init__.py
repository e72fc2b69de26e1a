"""Scenarios: command lines of several clients with expectations, run as tests."""
