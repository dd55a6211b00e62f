"""Word errors and delays, by context, mode and option."""
