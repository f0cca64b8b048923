"""The program of pages on LSTMs with only its imports changed: python examples/keras_tutorial.py

Four sentences, a word index made by hand, zeros up to a length of five.
"""

import numpy as np

from gatewise.keras.layers import LSTM, Dense, Embedding
from gatewise.keras.models import Sequential
from gatewise.keras.utils import to_categorical

sentences = [
    "I love machine learning",
    "This is a great movie",
    "I hate bad weather",
    "This movie is terrible",
]
labels = [1, 1, 0, 0]

word_index: dict[str, int] = {}
for sentence in sentences:
    for word in sentence.lower().split():
        word_index.setdefault(word, len(word_index) + 1)

sequences = [[word_index[word] for word in sentence.lower().split()] for sentence in sentences]
x = np.array([sequence + [0] * (5 - len(sequence)) for sequence in sequences])
y = to_categorical(labels, num_classes=2)

model = Sequential()
model.add(Embedding(14, 8, input_length=5))
model.add(LSTM(16))
model.add(Dense(2, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(x, y, epochs=10, verbose=0)

print("Training accuracy:", history.history["accuracy"])
print("Predicted classes:", model.predict(x, verbose=0).argmax(axis=1))
