"""Recognition: windows over samples, steps of many streams, words, speech and utterances.

May import: ports, audio and everything below them. Must never enter: a clock, a thread, a socket, a
runtime, the frames and memories of a model.
"""
