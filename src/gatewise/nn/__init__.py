"""Torch modules over ragged batches, usable on their own."""
