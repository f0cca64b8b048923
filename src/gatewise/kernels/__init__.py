"""The only door to the C++ kernel: recurrent layers over ragged batches, on NumPy arrays.

One call is one layer with one or two directions; `Linear` is a linear layer behind it.
N tokens in B texts, E input size, H hidden size, D directions, G gates, S saved blocks; all arrays
are float32 and C-contiguous, offsets int64:

    x (N, E)         hidden (N, D*H)           gates (D, N, S*H)   saved blocks, `Cell.saved` order
    offsets (B+1,)   final_hidden (D, B, H)    cells (D, N, H)     cell states, lstm only
    hidden0, cell0   final_cell (D, B, H)

Text i owns the tokens offsets[i] .. offsets[i + 1]; direction 1 walks backwards; the final state
of an empty text is its start state. Results are the same to the bit for any number of threads, and
for a text alone or in any batch. The interpreter lock is released during the work.

`precision` is that of the numbers that are multiplied: "fp32"; "bf16" (bfloat16), which rounds them
to 8 bits of mantissa; or, to answer only, "int8", which rounds every row of weights and operands to
whole numbers up to 127 times a scale. The latter two need a processor with instructions for them.
States and everything that goes in or out are float32 in all three, and so are sums, except those of
int8, which are whole numbers.

The environment variable GATEWISE_KERNEL forces an instruction set; `describe()` names them.
"""

from gatewise.cells import Weights
from gatewise.kernels.layer import Gradients, Output, Prepared, Projected, backward, forward
from gatewise.kernels.linear import Likeliest, Linear
from gatewise.kernels.machine import (
    PRECISIONS,
    Precision,
    chosen_precision,
    default_threads,
    describe,
    fma_peak,
    precisions,
    share_threads,
)
from gatewise.kernels.products import TokenProducts

__all__ = [
    "PRECISIONS",
    "Gradients",
    "Likeliest",
    "Linear",
    "Output",
    "Precision",
    "Prepared",
    "Projected",
    "TokenProducts",
    "Weights",
    "backward",
    "chosen_precision",
    "default_threads",
    "describe",
    "fma_peak",
    "forward",
    "precisions",
    "share_threads",
]
