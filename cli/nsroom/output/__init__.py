"""Everything nsroom prints or saves: stdout, stderr, NDJSON, readable lines, recordings, tables."""
