"""RECOGNITION. Windows over samples, TDT decoding, words, the recognizer and its streams.

May import: audio and everything below it. Must never enter: a clock, a thread, a socket, a runtime.
What it needs from a model it declares in `ports.py`.
"""
