"""The input of the live view: keys, commands and completion."""
