"""A cluster of Socket.IO servers, seen through the Redis that connects them."""
