"""The machine, tables and lines of progress: how every benchmark reports."""
