"""What the package costs, and how many words it gets right; README.md lists the questions.

Rooms, each of which may import those before it: `report`, `speech`, `models`, `live`, `speed`, then
`accuracy`, `memory` and `soak`. They measure the product, never a copy of a part of it.
"""
