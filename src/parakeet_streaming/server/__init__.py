"""THE SERVER: one live engine behind several protocols. Bytes of clients in and out.

May import: live, load and everything below them. Must never enter: anything about recognition.
`protocols/` is pure; `doors/` joins a protocol to a connection; `composition.py` makes all of it.
"""
