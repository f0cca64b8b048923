"""Language models: the next word, generated text, and how likely a text is."""
