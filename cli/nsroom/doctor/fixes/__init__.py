"""The texts to paste. What a server sent stands in them only quoted for the language around it."""
