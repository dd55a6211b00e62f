"""Subtitles: words with times in; cues by the rules of the trade out, each as soon as it is sure.

May import: results, plain_text, limits, errors. Must never enter: formats, files, clocks.
"""
