"""The texts to paste. Values from a server are quoted for the language around them."""
