"""Several processes with sockets in front of one with the engine: `serve --io-processes N`.

Samples go through shared memory, everything else through a socket between two processes. May import
`live` and `server`, and everything below. Never a protocol of clients: those are the server's.
"""
