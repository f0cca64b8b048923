"""LSTM, GRU and RNN: torch.nn's modules of these names, with the kernel under them.

They have torch's constructors, parameters, first values, inputs and outputs, and take a
`RaggedTensor` besides. What the kernel cannot take (see `passes.refusal`) torch's own
implementation answers, on CUDA with cuDNN; `gatewise.nn.runs_on` says which of them does.

They are no subclasses of torch.nn.LSTM, GRU and RNN, but of their base: torch.compile leaves every
subclass of those three out of its graphs.
"""

from __future__ import annotations

from typing import Any, TypeVar

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatewise.nn.by_torch import run_by_torch
from gatewise.nn.layouts import RaggedTensor
from gatewise.nn.passes import refusal, run

Batch = TypeVar("Batch", Tensor, PackedSequence, RaggedTensor)


class DropIn(nn.RNNBase):
    """What LSTM, GRU and RNN share: the choice between the kernel and torch."""

    def __prepare_scriptable__(self) -> nn.RNNBase:
        # Torch would put what this returns into the caller's model, for good.
        kind = self.mode.partition("_")[0]  # without the nonlinearity
        raise RuntimeError(
            f"torch.jit.script cannot read a gatewise.nn.{kind}. Use torch.export or "
            f"torch.jit.trace, or script a torch.nn.{kind} that has loaded its state_dict."
        )

    def _call(self, input: Any, hx: Any) -> tuple[Any, Any]:
        weights = self.all_weights
        if refusal(self, weights) is None:
            return run(self, weights, input, hx)
        return run_by_torch(self, input, hx)


class LSTM(DropIn):
    """torch.nn.LSTM on the kernel.

    Args:
        input_size: E.
        hidden_size: H.
        num_layers: layers on top of each other.
        bias: whether there are bias_ih and bias_hh.
        batch_first: whether tensors come and go as (B, T, ...) instead of (T, B, ...).
        dropout: share of values left out between layers in training, each on its own.
        bidirectional: whether every layer walks in both directions.
        proj_size: size to which hidden states are projected; torch's implementation answers then.
        device: of the parameters.
        dtype: of the parameters.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def forward(
        self, input: Batch, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Batch, tuple[Tensor, Tensor]]:
        """Hidden states of the last layer in the form of the input, and the final states.

        Args:
            input: (T, B, E), with batch_first (B, T, E), or one text (T, E), all of whose rows are
                real; a PackedSequence; or a RaggedTensor.
            hx: hidden and cell states to start from, (num_layers*D, B, H) each, without B for one
                text; zeros if None.

        Returns:
            D*H values for every row of the input; and the hidden and cell state after the last row
            that each direction reads of a text, in the shapes of hx.

        Raises:
            RuntimeError, ValueError: a shape or type does not fit.
        """
        return self._call(input, hx)


class GRU(DropIn):
    """torch.nn.GRU on the kernel; its arguments are those of `LSTM`, without projections."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )

    def forward(self, input: Batch, hx: Tensor | None = None) -> tuple[Batch, Tensor]:
        """As `LSTM.forward`; the state is the hidden state alone."""
        return self._call(input, hx)


class RNN(DropIn):
    """torch.nn.RNN on the kernel; its arguments are those of `GRU`, and `nonlinearity`.

    Raises:
        ValueError: the nonlinearity is neither tanh nor relu.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"The nonlinearity of an RNN must be tanh or relu. Got {nonlinearity!r}."
            )
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode,
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Batch, hx: Tensor | None = None) -> tuple[Batch, Tensor]:
        """As `GRU.forward`."""
        return self._call(input, hx)
