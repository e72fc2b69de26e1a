"""Find out why a connection fails, from the name look-up to the application, and how to fix it."""
