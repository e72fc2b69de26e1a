"""The reference application: rooms, messages, presence and history."""
