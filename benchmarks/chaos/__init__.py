"""Servers that are killed, drained, frozen and cut off while streams speak: nothing may change."""
