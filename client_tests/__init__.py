"""Clients that nobody here wrote, against a real server; see README.md.

What is in `drivers` runs in the clients' own environments, where nothing of this project is.
"""
