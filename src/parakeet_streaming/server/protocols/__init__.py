"""Wire protocols: bytes and JSON in, values out, and back. No I/O, no clock, no asyncio here."""
