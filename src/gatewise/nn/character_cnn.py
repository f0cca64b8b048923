"""A convolution over the characters of tokens and its maximum, to train."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatewise.ragged import Ragged, spaced
from gatewise.shapes import FilterShape


class CharacterCNN(nn.Module):
    """Vectors of characters, F filters over `width` of them at a time, the maximum of each.

    The convolution of Ma & Hovy (2016) and Chiu & Nichols (2016), as torch.nn.Conv1d computes it
    with `width - 1` zeros on both sides, so that a token shorter than the filters has windows too.
    Since there are few characters, the products of each with each place of the filters are a table
    that is computed once for all windows: a window is the sum of `width` of its rows.

    Its state dict has the names of `FilterShape.weights`, which answering reads.

    Args:
        shape: what it is made of.
    """

    def __init__(self, shape: FilterShape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary_size, shape.embedding_size)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.convolution = nn.Conv1d(shape.embedding_size, shape.filters, shape.width)
        nn.init.xavier_uniform_(self.convolution.weight)
        nn.init.zeros_(self.convolution.bias)  # type: ignore[arg-type]

    def forward(self, ids: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
        """What the filters say of every window, and their maxima of every token.

        Args:
            ids: of the characters of all tokens, (N,).
            offsets: where tokens start and end, (B + 1,).

        Returns:
            (N + B * (width - 1), F) and (B, F).
        """
        shape = self.shape
        rows, bounds = spaced(
            Ragged(ids.numpy(), offsets.numpy()), shape.width - 1, shape.vocabulary_size
        )
        # The last row is of the zeros between tokens. (V + 1, width, F)
        products = torch.einsum("ve,few->vwf", self.embedding.weight, self.convolution.weight)
        table = functional.pad(products, (0, 0, 0, 0, 0, 1))
        places = torch.from_numpy(rows).long()
        count = int(bounds[-1])
        bias = self.convolution.bias
        assert bias is not None
        windows = bias.expand(count, -1)
        for place in range(shape.width):
            windows = windows + functional.embedding(places[place : place + count], table[:, place])
        # Not torch.segment_reduce, whose gradient is wrong where windows are equal (torch 2).
        tokens = torch.repeat_interleave(torch.from_numpy(bounds).diff())[:, None]
        most = windows.new_zeros(len(offsets) - 1, shape.filters).scatter_reduce(
            0, tokens.expand_as(windows), windows, "amax", include_self=False
        )
        return windows, most
