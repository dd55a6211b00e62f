"""TENSORS. Model files, sessions, log-mel features, encoder, decoder_joint, vocabulary.

May import: audio and everything below it. Must never enter: streams, windows, decoding rules.
`session.py` alone imports the runtime; `hub.py` alone talks to the hub.
"""
