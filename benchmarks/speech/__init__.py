"""Audio to measure with: a book, labelled recordings, speech with long pauses."""
