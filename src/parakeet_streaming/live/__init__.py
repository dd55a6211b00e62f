"""Time: which streams run when. Streams and recognizers in, steps at the right moment out.

May import engine and below, no models, no server. What decides is pure and takes the time as an
argument; threads and clocks stay in their own files.
"""
