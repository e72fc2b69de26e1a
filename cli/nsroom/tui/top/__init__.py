"""The live view of a server: its namespaces, rooms and sockets, and what each of them does."""
