"""A model behind the port whose frames and states stay on one device: a GPU, or the processor.

Needs torch. May import: torch_model, model, runtime and below. Must never enter: streams, words,
clocks. Only `load.py` and what reports on this machine import this room, and only when they use it.
"""
