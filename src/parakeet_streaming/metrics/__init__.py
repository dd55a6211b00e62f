"""Counters, levels and histograms, and how they are written for Prometheus.

May import: errors. Must never enter: what is counted; that stands where it is counted.
"""
