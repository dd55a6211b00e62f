"""The networks as torch modules, and readers of the weights that NeMo and others save.

For training and export; needs torch. May import: catalog, ports and below. Must never enter:
streams, decoding rules, ONNX. No module that recognises speech imports this room.
"""
