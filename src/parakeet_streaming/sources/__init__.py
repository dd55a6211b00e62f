"""WHERE SAMPLES COME FROM. Files and standard input as float32 mono blocks (n,), paced on request.

May import: audio and everything below it. Must never enter: recognition, models.
"""
