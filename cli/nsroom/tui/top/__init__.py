"""`nsroom top`: the namespaces, rooms, sockets and events of a server."""
