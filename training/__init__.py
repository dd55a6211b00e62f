"""The recipe of the built-in model: `python -m training STAGE`; see README.md."""
