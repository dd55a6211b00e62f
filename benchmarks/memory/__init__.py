"""What a process, a model and a stream take of memory and of the start."""
