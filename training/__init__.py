"""The recipe of the built-in model: `python -m training STAGE`; README.md tells the rest."""
