"""Phrases to boost: their splits into tokens, the tree of these, and a decoder's bias.

May import: ports and everything below them. Must never enter: streams, clocks, threads, runtimes.
"""
