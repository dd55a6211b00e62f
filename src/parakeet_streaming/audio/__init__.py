"""SAMPLES. Float32 mono arrays (n,): conversion, resampling, rings and files.

May import: formats, results, timeline, errors. Must never enter: tensors of the model, threads,
clocks, sockets.
"""
