"""One file for each client library: a sound and a server's address in; what was heard out.

Each runs as `python -m client_tests.drivers.NAME` in its client's own environment, and prints one
line of JSON (`asked.py`). Nothing of this project's package may be imported here.
"""
