"""The ways in: one file per protocol, which takes a `Service` and gives routes.

May import: protocols, and what all doors share. Must never enter: what messages mean.
"""
