"""What lies on disk: names, the hub, files of a model folder, what a graph and a config say.

May import: errors, timeline. Must never enter: anything that runs a graph, anything of audio.
`hub.py` alone talks to the hub.
"""
