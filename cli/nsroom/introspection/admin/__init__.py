"""Any instrumented server, seen through its admin namespace."""
