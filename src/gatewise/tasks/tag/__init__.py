"""Tokens in, a tag for each out: parts of speech, named entities, chunks."""
