"""The names and shapes of a tagger's weights; all options must have a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatewise.shapes import EncoderShape, FilterShape
from gatewise.text.word_shapes import SHAPES

if TYPE_CHECKING:
    from gatewise.tasks.tag.lexicon import Lexicon
    from gatewise.tasks.tag.task import SequenceTagger


def sentence_shape(chosen: SequenceTagger, lexicon: Lexicon) -> EncoderShape:
    """What the encoder of sentences is made of."""
    assert chosen.subwords is not None
    assert chosen.hidden_size is not None
    assert chosen.shape_size is not None
    return EncoderShape(
        cell=chosen.cell,
        vocabulary_size=lexicon.learned,
        embedding_size=chosen.embedding_size,
        subwords=chosen.subwords,
        hidden_size=chosen.hidden_size,
        num_layers=chosen.num_layers,
        bidirectional=chosen.bidirectional,
        pooling="last",
        more=lexicon.vector_size + chosen.shape_size + _character_features(chosen),
    )


def _character_features(chosen: SequenceTagger) -> int:
    """Numbers that are read from the characters of a token."""
    if not chosen.characters:
        return 0
    return chosen.character_units * (2 if chosen.character_layer == "recurrent" else 1)


def character_shape(chosen: SequenceTagger, lexicon: Lexicon) -> EncoderShape | FilterShape:
    """What the layer that reads characters is made of."""
    if chosen.character_layer == "cnn":
        return FilterShape(
            vocabulary_size=len(lexicon.characters) + 1,
            embedding_size=chosen.character_size,
            filters=chosen.character_units,
            width=chosen.character_width,
        )
    return EncoderShape(
        cell=chosen.cell,
        vocabulary_size=len(lexicon.characters) + 1,
        embedding_size=chosen.character_size,
        subwords=0,
        hidden_size=chosen.character_units,
        num_layers=1,
        bidirectional=True,
        pooling="last",
    )


def weight_shapes(
    chosen: SequenceTagger, lexicon: Lexicon, tags: int
) -> dict[str, tuple[int, ...]]:
    """Shape of every weight by its name."""
    shape = sentence_shape(chosen, lexicon)
    shapes = shape.weights()
    shapes |= {"head.weight": (tags, shape.state_size), "head.bias": (tags,)}
    if lexicon.vector_size:
        shapes["vectors.weight"] = (len(lexicon.tokenizer), lexicon.vector_size)
    if chosen.shape_size:
        shapes["shapes.weight"] = (SHAPES, chosen.shape_size)
    if chosen.characters:
        own = character_shape(chosen, lexicon).weights()
        shapes |= {f"characters.{name}": sizes for name, sizes in own.items()}
    if chosen.crf:
        shapes |= {"crf.transitions": (tags, tags), "crf.start": (tags,), "crf.end": (tags,)}
    return shapes
