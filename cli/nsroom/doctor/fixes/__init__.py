"""Texts to paste. Data from the server is quoted for the language around it."""
