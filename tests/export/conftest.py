"""The small model of the torch networks' tests, and its files."""

from tests.torch_model.conftest import small_folder, small_model

__all__ = ["small_folder", "small_model"]
