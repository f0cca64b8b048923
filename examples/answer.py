"""Answer with a saved model, without PyTorch: python examples/answer.py MODEL

The sentences come in pairs of the same words in another order, or with and without a "not".
"""

import sys

from gatewise import load

SENTENCES = [
    "I was sorry to leave and glad I came.",
    "I was glad to leave and sorry I came.",
    "The film has many good jokes and few bad ones.",
    "The film has few good jokes and many bad ones.",
    "Not a bad film at all.",
    "Not a good film at all.",
    "I wanted to love it and could not.",
]

model = load(sys.argv[1])
for sentence, answer in zip(SENTENCES, model.answer(SENTENCES), strict=True):
    label, probability = answer.as_text()
    print(f"{label:<9} {probability}  {sentence}")

assert "torch" not in sys.modules
print("PyTorch was not loaded.")
