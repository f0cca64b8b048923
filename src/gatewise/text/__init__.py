"""From texts to token ids: tokenizers and pretrained word vectors."""
