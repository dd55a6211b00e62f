"""One file per parser. A target lets our own errors pass, and no other."""
