"""The page for browsers, and the client for pages."""
