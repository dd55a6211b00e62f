"""A live engine under streams that come in real time."""
