"""Connections to a server, behind one interface."""
