"""Languages and the scripts that they are written in: what a model's tokens may be limited to.

Pure: no clock, thread, socket or runtime. It may import `ports` and what is below.
"""
