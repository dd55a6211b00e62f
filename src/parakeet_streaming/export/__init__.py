"""WEIGHTS. Torch modules of a FastConformer-TDT, what other programs wrote as such modules, and
their export to our ONNX files.

May import: model and everything below it; onnx, onnxruntime and what the `export` extra installs.
Must never enter: streams, decoding rules, training. Of the package only `cli/export.py` imports
this room, and not before it is asked to export.
"""
