"""Text to text: translation, replies, normalisation."""
