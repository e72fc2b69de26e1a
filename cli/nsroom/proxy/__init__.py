"""The proxy: relay traffic and record every packet."""
