"""Find out why a connection fails: checks from the name look-up to the application's handlers, with fixes."""
