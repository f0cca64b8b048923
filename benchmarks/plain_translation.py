"""A text-to-text model of `gatewise` from torch's own layers: what the benchmark races against.

The same weights and the same beam search, as one writes it in torch: texts side by side in a
rectangle of beams, with packed sources, log_softmax and topk over all beams of a text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from gatewise.tasks.seq2seq.task import Seq2Seq


class PlainSeq2Seq(nn.Module):
    """nn.Embedding, nn.LSTM and dot attention, one layer each.

    Args:
        model: of that shape; its weights are copied.
        shrinking: whether texts that are done leave the batch at once, or stay until all are done.
    """

    def __init__(self, model: Seq2Seq, *, shrinking: bool) -> None:
        super().__init__()
        assert (model.cell, model.num_layers, model.attention) == ("lstm", 1, "dot")
        weights = {name: torch.from_numpy(w) for name, w in model.weights_.items()}
        size, hidden = model.embedding_size, model.hidden_size
        table = weights["embedding.weight"]
        self.embedding = nn.Embedding(len(table), size, _weight=table)
        self.encoder = nn.LSTM(size, hidden, bidirectional=True, batch_first=True)
        self.decoder = nn.LSTM(size, hidden, batch_first=True)
        for name in ("encoder", "decoder"):
            start = f"{name}.recurrent."
            part = {n.removeprefix(start): w for n, w in weights.items() if n.startswith(start)}
            getattr(self, name).load_state_dict(part)
        self.key, self.value = weights["attention.key.weight"], weights["attention.value.weight"]
        self.projection = nn.Linear(hidden, size)
        self.projection.weight.data = weights["projection.weight"]
        self.projection.bias.data = weights["projection.bias"]
        self.bias = weights["output.bias"]
        self.tokenizer, self.end = model.tokenizer_, len(model.tokenizer_)
        self.shrinking = shrinking

    @torch.inference_mode()
    def translate(self, texts: Sequence[str], beam: int, batch_size: int) -> list[str]:
        """The best answer to every text, in batches of texts of similar length."""
        ids = [torch.from_numpy(np.append(row, self.end)) for row in self.tokenizer.encode(texts)]
        order = sorted(range(len(ids)), key=lambda text: len(ids[text]))
        answers = [""] * len(ids)
        for start in range(0, len(ids), batch_size):
            some = order[start : start + batch_size]
            found = self._searched([ids[text].long() for text in some], beam)
            for text, tokens in zip(some, found, strict=True):
                answers[text] = self.tokenizer.decode(tokens)
        return answers

    def _searched(self, sources: list[Tensor], beam: int) -> list[list[int]]:
        """The tokens of the best answer to every source of a batch."""
        count, lengths = len(sources), torch.tensor([len(source) for source in sources])
        padded = self.embedding(pad_sequence(sources, batch_first=True))
        packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
        states, final = self.encoder(packed)
        memory, _ = pad_packed_sequence(states, batch_first=True)
        real = torch.arange(memory.shape[1]) < lengths[:, None]
        keys, values = memory @ self.key.T, memory @ self.value.T  # once for every source
        hidden, cell = (state.mean(dim=0).repeat_interleave(beam, dim=0)[None] for state in final)
        texts = torch.arange(count)
        totals = torch.full((count, beam), -torch.inf)
        totals[:, 0] = 0.0
        free = torch.full((count,), beam)
        tokens = torch.full((count, beam, 1), self.end)
        done: list[list[tuple[float, list[int]]]] = [[] for _ in sources]
        limits = 2 * lengths + 19
        classes = self.embedding.num_embeddings
        step = 0
        while len(texts):
            step += 1
            read = self.embedding(tokens[:, :, -1].reshape(-1, 1))
            decoded, (hidden, cell) = self.decoder(read, (hidden, cell))
            query = decoded.view(len(texts), beam, -1)
            scores = query @ keys.transpose(1, 2)
            shares = scores.masked_fill(~real[:, None], -torch.inf).softmax(dim=2)
            output = torch.tanh(self.projection(query) + shares @ values)
            scored = output @ self.embedding.weight.T + self.bias
            scored[:, :, self.tokenizer.unknown_id] = -torch.inf
            likely = totals[:, :, None] + scored.log_softmax(dim=2)
            totals, places = likely.view(len(texts), -1).topk(beam, dim=1)
            # Places that an ended answer has taken, and beginnings that are dead.
            totals = totals.masked_fill(torch.arange(beam) >= free[:, None], -torch.inf)
            parents, taken = places // classes, places % classes
            tokens = torch.cat(
                [tokens.gather(1, parents[:, :, None].expand(-1, -1, step)), taken[:, :, None]], 2
            )
            rows = (torch.arange(len(texts))[:, None] * beam + parents).view(-1)
            hidden, cell = hidden[:, rows], cell[:, rows]
            ended = taken == self.end
            over = (ended | (step >= limits)[:, None]) & (totals > -torch.inf)
            for row, place in over.nonzero().tolist():
                found = tokens[row, place, 1:].tolist()
                found = found[:-1] if ended[row, place] else found
                done[texts[row]].append((totals[row, place].item() / step, found))
            free = free - over.sum(dim=1)
            totals = totals.masked_fill(ended | over, -torch.inf)
            alive = free > 0
            if not alive.any():
                break
            if self.shrinking and not alive.all():
                kept = alive.nonzero()[:, 0]
                rows = (kept[:, None] * beam + torch.arange(beam)).view(-1)
                hidden, cell = hidden[:, rows], cell[:, rows]
                keys, values, real, totals, free, tokens, texts, limits = (
                    part[kept] for part in (keys, values, real, totals, free, tokens, texts, limits)
                )
        return [max(found)[1] for found in done]
