"""Torch networks in; ONNX files that `load()` accepts out, in float32 and int8.

May import: torch_model, catalog and below; onnx, onnxruntime's quantiser and torch, which the
`export` extra installs. Must never enter: streams, decoding rules, training, readers of other
programs' weights. Only `cli/export.py` imports this room, and only when it exports.
"""
