"""Adapters between transports and the service, one for each protocol; each gives routes."""
