"""Streaming speech-to-text with NVIDIA's Parakeet TDT models."""

__version__ = "0.1.0"
