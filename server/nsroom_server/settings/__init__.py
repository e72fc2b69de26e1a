"""Configuration, limits, faults and access rules of the server."""
