"""Socket.IO 5: namespaces, rooms, events and acknowledgements."""
