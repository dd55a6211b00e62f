"""THE COMMAND LINE. One file per command; options in, text on the terminal out.

May import: everything. Must never enter: anything another program would want to call.
"""

from parakeet_streaming.cli.app import main

__all__ = ["main"]
