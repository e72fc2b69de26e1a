"""The full-screen views: pure models that records are sent to, and prompt-toolkit around them."""
