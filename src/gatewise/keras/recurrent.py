"""Keras's LSTM, GRU and SimpleRNN with the kernel under them.

They are subclasses: arguments, weights, states, dropout and saving are Keras's own. Only the walk
through time is another. The rows that a mask leaves are walked as a ragged batch, and their states
are put where Keras has them: a masked step repeats the output before it, and is zero before the
first row or where `zero_output_for_mask` says so.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
import torch
from torch import Tensor

from gatewise.keras.declared import TakesInputShape
from gatewise.keras.weights import cell_refusal, kernel_cell, kernel_weights
from gatewise.nn.masks import MaskedLayout, masked_layout, real_rows, spread_rows
from gatewise.nn.passes import context_refusal, tensor_refusal
from gatewise.nn.recurrent import State, recurrent_layer


class KernelLayer(TakesInputShape):
    """What LSTM, GRU and SimpleRNN share: the choice between the kernel and Keras's own walk."""

    _shape_names = ("steps", "features")
    _told: str | None = None
    # What Keras's classes have.
    name: str
    cell: Any
    built: bool
    compute_dtype: str
    dropout: float
    go_backwards: bool
    return_sequences: bool
    stateful: bool
    zero_output_for_mask: bool

    @property
    def runs_on(self) -> str:
        """Where the layer runs if it is called now: "kernel", or "keras: " and why.

        Where only training needs Keras's own walk: "keras in training, else kernel: " and why.
        """
        reason, answering = self._refusal(training=True), self._refusal(training=False)
        if reason is None:
            return "kernel"
        return f"keras: {reason}" if answering else f"keras in training, else kernel: {reason}"

    def inner_loop(
        self, sequences: Tensor, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The last output (B, H), all outputs (B, T, H), and the final states; Keras calls it."""
        shapes_only = sequences.device.type == "meta"
        reason = self._refusal(training)
        if reason is not None or shapes_only:
            if not shapes_only and reason != self._told:
                self._told = reason
                warnings.warn(
                    f"The layer {self.name!r} runs on Keras's own implementation, not on "
                    f"Gatewise's kernel: {reason}.",
                    stacklevel=2,
                )
            return super().inner_loop(  # type: ignore[misc, no-any-return]
                sequences, initial_state, mask=mask, training=training
            )
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        values, offsets, layout = self._ragged(sequences.to(torch.float32), mask)
        if training and self.dropout:
            kept = self.cell.get_dropout_mask(sequences[:, 0, :])
            values = values * kept.repeat_interleave(offsets.diff(), dim=0, output_size=len(values))
        # Keras writes the new states of a stateful layer over the old ones, which the gradient
        # still needs.
        start = [state.clone() if self.stateful else state for state in initial_state]
        kind = kernel_cell(self)
        assert kind is not None
        hidden, final = recurrent_layer(
            kind,
            values,
            offsets,
            [kernel_weights(self.cell)],
            State(*(state.unsqueeze(0) for state in start)),
        )
        states = [state.squeeze(0) for state in final if state is not None]
        last = self._last_output(states[0], layout)
        if not self.return_sequences:
            return last, last.unsqueeze(1), states
        if layout is None:
            return last, hidden.view(*sequences.shape[:2], -1), states
        return last, spread_rows(hidden, layout, repeat=not self.zero_output_for_mask), states

    def _ragged(
        self, sequences: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor, MaskedLayout | None]:
        """Rows in walking order (N, E), offsets (B + 1,), and their layout if there is a mask."""
        if mask is None:
            walked = sequences.flip(1) if self.go_backwards else sequences
            texts, steps = sequences.shape[:2]
            return walked.flatten(0, 1), torch.arange(texts + 1) * steps, None
        layout = masked_layout(mask.bool().flatten(1), backwards=self.go_backwards)
        return real_rows(sequences, layout), layout.offsets, layout

    def _last_output(self, final: Tensor, layout: MaskedLayout | None) -> Tensor:
        """The output of the last step walked, from the hidden state after it, (B, H)."""
        if layout is None:
            return final
        if self.zero_output_for_mask:
            kept = layout.real.view(len(final), -1)[:, -1]
        else:
            kept = layout.offsets.diff() > 0
        return final * kept[:, None]

    def _refusal(self, training: bool) -> str | None:
        """Why Keras, not the kernel, must take a call that came now; None if it need not."""
        cell = self.cell
        reason = cell_refusal(self)
        if reason is not None:
            return reason
        if training and cell.recurrent_dropout:
            return f"recurrent_dropout={cell.recurrent_dropout}"
        if training and cell.dropout and getattr(cell, "implementation", 2) == 1:
            return "dropout with implementation=1, which drops other inputs for every gate"
        if getattr(self, "use_cudnn", None) is True:
            return "use_cudnn=True"
        if self.compute_dtype != "float32":
            return f"it computes in {self.compute_dtype}"
        reason = tensor_refusal([cell.kernel.value]) if self.built else None
        return context_refusal() if reason is None else f"its weights are {reason}"


@keras.saving.register_keras_serializable("gatewise")
class LSTM(KernelLayer, keras.layers.LSTM):
    """keras.layers.LSTM on the kernel, with Keras's arguments.

    Besides, `input_shape`, `batch_input_shape`, or `input_dim` with `input_length`, as Keras 2 took
    them.

    Raises:
        OptionError: a shape is not that of steps and features.

    Warns:
        UserWarning: at the first call that Keras's own implementation takes; why.
    """


@keras.saving.register_keras_serializable("gatewise")
class GRU(KernelLayer, keras.layers.GRU):
    """keras.layers.GRU on the kernel; otherwise as `LSTM`."""


@keras.saving.register_keras_serializable("gatewise")
class SimpleRNN(KernelLayer, keras.layers.SimpleRNN):
    """keras.layers.SimpleRNN on the kernel, with activation tanh or relu; otherwise as `LSTM`."""


def runs_on(model: Any) -> dict[str, str]:
    """Where the recurrent layers of a model, or a layer itself, run if it is called now.

    Returns:
        For the name of every recurrent layer "kernel", or "keras" and why; see `LSTM.runs_on`.
    """
    return {
        layer.name: layer.runs_on
        if isinstance(layer, KernelLayer)
        else "keras: it is not a layer of gatewise.keras"
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.RNN)
    }
