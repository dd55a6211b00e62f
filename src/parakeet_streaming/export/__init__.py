"""WEIGHTS. Torch modules of a compact FastConformer-TDT, and their export to our ONNX files.

May import: model and everything below it; torch, onnx and onnxruntime (the `export` extra). Must
never enter: streams, decoding rules, training. Nothing else in the package imports this room.
"""
