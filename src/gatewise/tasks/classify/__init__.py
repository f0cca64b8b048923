"""Text in, label out: binary, many classes, many labels at once."""
