"""A server seen from inside: its namespaces, rooms and sockets."""
