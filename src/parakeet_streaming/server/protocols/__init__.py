"""Wire formats in and out: bytes and JSON to values and back, without any I/O."""
