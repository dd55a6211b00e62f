"""Models to measure: by size with random weights, and by the runtime that computes them."""
