"""Time: many live streams on one worker. Samples of any thread in, events to any thread out.

May import engine and below; no models, no server. What decides is pure and takes the time as an
argument; the thread is in `worker.py`, and the clock comes in at `engine.py`.
"""
