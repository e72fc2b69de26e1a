"""Why a connection fails: checks from the name look-up to the application's handlers, and what to do."""
