"""The reference server: namespaces, rooms, presence and history, as a Socket.IO client meets them."""
