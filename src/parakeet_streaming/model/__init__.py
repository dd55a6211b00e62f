"""The networks: features, encoder, prediction network and joint, TDT decoding, voice activity.

May import: runtime, catalog, ports and below. Must never enter: streams, windows, words.
"""
