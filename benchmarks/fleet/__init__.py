"""Many replicas, simulated: what one replica does is fitted to measurements of the product.

`simulation.py` alone knows simpy. It and the commands (`measure`, `fit`, `policies`, `losses`,
`sizes`) stand above the rest, which is pure: times are handed in, random numbers come from a seed.
"""
