"""From scores to answers, without PyTorch."""
