"""A stock Node process of one's own, seen through its inspector."""
