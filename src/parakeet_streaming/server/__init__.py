"""The server: one live engine behind every protocol that speech comes through.

It may import `live`, `load`, `sources` and what stands below them, never `cli` or `cluster`.
`protocols/` and the rules beside it (`session`, `access`, `limits`, `outbox`, `replies`) know no
clock, thread, socket or asyncio. Each library is imported in one file; Starlette in `http.py`.
"""
