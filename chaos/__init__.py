"""Breaks a running Roadmend at random moments and holds it to everything that it promised. `make chaos`."""
