"""How long a step or a recording takes, and what the time is spent on."""
