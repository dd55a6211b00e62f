"""The server, measured from outside: it runs in a process of its own, and so do its clients."""
