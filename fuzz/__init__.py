"""Hostile input for every parser of the package; README.md says how to run it.

`targets/` has one file per parser: `run(data)` gives it bytes, and raises what must not happen;
`seeds()` makes bytes to begin with. `one_target` lets atheris choose the bytes; `mutations` changes
seeds in the same way each time. Targets call the product's own functions, never a copy of them.
"""
