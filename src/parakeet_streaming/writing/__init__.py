"""Text as people write it: words as they were spoken in; digits, the user's spelling, masks out.

May import: engine.words, results, limits, errors. Must never enter: audio, models, sockets, clocks,
threads.
"""
