"""The full-screen view: a model that is one more sink of records, and prompt-toolkit around it."""
