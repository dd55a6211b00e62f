"""One prepared program for a machine with a GPU, on which only numpy and torch are installed.

Where a library of the package is missing, its rooms are imported without its face, and stand-ins
take the place of libraries that are imported but not used here: `bare.py`. That comes first.
"""

from benchmarks.gpu.bare import make_bare

make_bare()
