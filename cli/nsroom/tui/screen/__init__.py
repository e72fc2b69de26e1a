"""What the live view draws."""
