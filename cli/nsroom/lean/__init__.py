"""The libraries that are slow to import, imported without what a client of a Socket.IO server does not need.

Import them from here: where they were imported before, this saves nothing.
"""
