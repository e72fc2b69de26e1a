"""Hand-driven HTTP requests and Engine.IO sessions for the checks."""
