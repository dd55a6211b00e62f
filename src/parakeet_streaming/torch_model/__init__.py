"""The networks as torch modules, and what reads their weights from NeMo's and other checkpoints.

For training and export; needs torch. May import: catalog, ports and below. Nothing that recognises
imports it.
"""
