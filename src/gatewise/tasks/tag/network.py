"""The trainable network of a tagger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from gatewise.nn.character_cnn import CharacterCNN
from gatewise.nn.crf import CRF
from gatewise.nn.dropout import locked_dropout
from gatewise.nn.encoder import Encoder
from gatewise.text.word_shapes import SHAPES


@dataclass(frozen=True)
class Batch:
    """B sentences of N tokens: of every token the word, (N,), and the tag, (N,).

    Args:
        words: numbers of the words; those that were not learned have numbers behind the others.
        offsets: where sentences start and end, (B + 1,).
        tags: numbers of the true tags.
        shapes: how each token is written, (N,).
        spelling: which of the U different tokens of the batch each is, (N,).
        characters: of the different tokens, one token after another.
        ends: where the different tokens start and end in them, (U + 1,).
    """

    words: Tensor
    offsets: Tensor
    tags: Tensor
    shapes: Tensor
    spelling: Tensor
    characters: Tensor
    ends: Tensor

    @property
    def tokens(self) -> int:
        """Tokens of all sentences together."""
        return len(self.words)


class TaggerNetwork(nn.Module):
    """Vectors of words, recurrent layers, one linear layer and perhaps a CRF.

    A token is its word's vector, its pretrained vector, that of its shape and what is read from its
    characters, beside each other.

    Args:
        encoder: the vectors of words and the recurrent layers.
        tags: how many there are, L.
        characters: reads the characters of a token; None without.
        vectors: pretrained vectors of all words, which stay as they are; None without.
        shape_size: numbers that are learned of how a word is written; 0 for none.
        crf: whether tags are scored side by side as well.
    """

    def __init__(
        self,
        encoder: Encoder,
        tags: int,
        *,
        characters: Encoder | CharacterCNN | None,
        vectors: NDArray[np.float32] | None,
        shape_size: int,
        crf: bool,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.characters = characters
        self.vectors: Tensor | None
        self.register_buffer("vectors", None if vectors is None else torch.from_numpy(vectors))
        self.shapes = nn.Embedding(SHAPES, shape_size) if shape_size else None
        if self.shapes is not None:
            nn.init.normal_(self.shapes.weight, std=0.3)
        self.head = nn.Linear(encoder.shape.state_size, tags)
        self.crf = CRF(tags) if crf else None

    def forward(self, batch: Batch) -> Tensor:
        """Raw scores of every tag for every token, (N, L)."""
        parts = [self.encoder.embedding(batch.words)]
        if self.vectors is not None:
            parts.append(functional.embedding(batch.words, self.vectors))
        if self.shapes is not None:
            parts.append(self.shapes(batch.shapes))
        if self.characters is not None:
            _, read = self.characters(batch.characters, batch.ends)
            parts.append(functional.embedding(batch.spelling, read))
        hidden, _ = self.encoder.walk(torch.cat(parts, dim=1), batch.offsets)
        dropout = self.encoder.dropout if self.training else 0.0
        scores: Tensor = self.head(locked_dropout(hidden, batch.offsets, dropout))
        return scores

    def loss(self, batch: Batch) -> Tensor:
        """Negative log-likelihood of the true tags, per token."""
        scores = self(batch)
        if self.crf is None:
            loss = functional.cross_entropy(scores, batch.tags, reduction="sum")
        else:
            loss = self.crf(scores, batch.offsets, batch.tags)
        return loss / max(len(scores), 1)  # sentences may all be empty

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Copies of the weights, under the names and in the form that the answering side reads.

        Pretrained vectors are not among them: the folder keeps those of more words.
        """
        found = {
            name.removeprefix("encoder."): weight for name, weight in self.state_dict().items()
        }
        found.pop("vectors", None)
        found["embedding.weight"] = self.encoder.embedding.folded()
        if "embedding.subwords" in found:
            found["subwords.weight"] = found.pop("embedding.subwords")
        return {name: weight.numpy().copy() for name, weight in found.items()}
