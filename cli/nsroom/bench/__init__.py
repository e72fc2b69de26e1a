"""Load a server with many clients in few processes, and measure how it answers."""
