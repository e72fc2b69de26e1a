"""Several servers as one, over Redis Streams."""
