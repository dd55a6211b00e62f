"""What the package costs and how well it hears, measured; README.md says what answers what.

Rooms, each of which may import those before it: `report`, `speech`, `models`, `live`, `speed`, then
`accuracy`, `memory` and `soak`. They measure the product, never a copy of a part of it.
"""
