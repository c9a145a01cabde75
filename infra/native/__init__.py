"""Roadmend on one machine without containers: what is missing is installed, servers are private, children are watched.

Standard library only: this runs before the virtual environment exists.
"""
