"""The ways in: thin adapters between a transport, a protocol and the engine."""
