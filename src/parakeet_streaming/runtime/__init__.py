"""What runs a graph: sessions of ONNX Runtime and OpenVINO, and the choice between them.

May import: catalog and below. Must never enter: what a graph means. `onnx_runtime.py` alone runs
ONNX Runtime, `openvino_runtime.py` alone runs OpenVINO.
"""
