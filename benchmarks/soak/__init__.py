"""Promises under stress: random callers of a live engine, and rings between two threads."""
