"""Load a server with many clients in a few processes, and measure its latencies."""
