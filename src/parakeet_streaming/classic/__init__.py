"""The classic API: `StreamingParakeetTDT` between an audio producer and a token consumer.

May import: live, load and everything below them.
"""
