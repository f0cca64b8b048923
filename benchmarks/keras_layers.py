"""Masked layers of gatewise.keras beside Keras's own, on the torch and on the JAX backend.

    python benchmarks/keras_layers.py --threads 2

A batch is padded to its longest text and comes with a mask, as an Embedding with mask_zero=True
hands it on; all states are returned. A training pass is the forward pass and the gradients of
weights and inputs. Lengths "imdb" as in recurrence.py. Keras has one backend in a process: JAX's
layer runs in another one, which sleeps while the others have their turn.
"""

from __future__ import annotations

import multiprocessing
import os
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from cases import CASES, Case
from report import Table, arguments, publish
from timing import interleaved, ratio, spread, use_threads

if TYPE_CHECKING:
    from layers import Layer

OURS, TORCH, JAX = "gatewise.keras", "Keras on torch", "Keras on JAX"
NOTES = ["Keras's: the time of its layer over ours. Spread: that of our quartiles over our median."]


class _Batch(NamedTuple):
    """Inputs (B, T, E), their mask (B, T), gradients of the outputs (B, T, D * H), and tokens."""

    x: Any
    mask: Any
    d_hidden: Any
    tokens: int


def installed() -> bool:
    """Whether Keras and JAX are."""
    return bool(find_spec("keras") and find_spec("jax"))


def on_jax(case: Case) -> Layer:
    """Keras's masked layer on JAX, compiled as `fit` would compile it."""
    os.environ["KERAS_BACKEND"] = "jax"
    import jax
    from keras import layers
    from layers import Layer

    layer, batch = _built(layers, case), _batch(case)
    weights = [variable.value for variable in layer.trainable_variables]
    others = [variable.value for variable in layer.non_trainable_variables]
    x, mask, d_hidden = (jax.numpy.asarray(part) for part in batch[:3])
    ready: Any = jax.block_until_ready

    def run(weights: Any, x: Any) -> Any:
        return layer.stateless_call(weights, others, x, mask=mask)[0]

    forward = jax.jit(run)
    train = jax.jit(jax.grad(lambda *inputs: (run(*inputs) * d_hidden).sum(), argnums=(0, 1)))
    return Layer(lambda: ready(forward(weights, x)), lambda: ready(train(weights, x)), batch.tokens)


def on_torch(layers: Any, case: Case) -> Layer:
    """A masked layer of `gatewise.keras.layers` or of `keras.layers` on torch."""
    import torch
    from layers import Layer

    layer, batch = _built(layers, case), _batch(case)
    weights = [variable.value for variable in layer.trainable_variables]
    x, mask, d_hidden = (torch.from_numpy(part) for part in batch[:3])
    x.requires_grad_()

    def forward() -> None:
        with torch.no_grad():
            layer(x, mask=mask)

    def train() -> None:
        torch.autograd.grad(layer(x, mask=mask, training=True), [x, *weights], d_hidden)

    return Layer(forward, train, batch.tokens)


def _built(layers: Any, case: Case) -> Any:
    layer: Any = getattr(layers, case.cell.upper())(case.size, return_sequences=True)
    if case.directions == 2:
        layer = layers.Bidirectional(layer)
    layer.build((case.texts, int(case.lengths().max()), case.inputs))
    return layer


def _batch(case: Case) -> _Batch:
    lengths, random = case.lengths(), np.random.default_rng(0)
    shape = case.texts, int(lengths.max())
    sizes = (*shape, case.inputs), (*shape, case.directions * case.size)
    x, d_hidden = (random.normal(size=size).astype(np.float32) for size in sizes)
    return _Batch(x, np.arange(shape[1]) < lengths[:, None], d_hidden, int(lengths.sum()))


def _serve_jax(connection: Connection, case: Case, threads: int) -> None:
    """In a process of its own: run what is asked for, and say when it is done."""
    use_threads(threads)
    layer = on_jax(case)
    while (kind := connection.recv()) is not None:
        getattr(layer, kind)()
        connection.send(kind)


class _Elsewhere:
    """Keras's layer on JAX in another process."""

    def __init__(self, case: Case, threads: int) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_serve_jax, args=(theirs, case, threads))
        self._process.start()

    def run(self, kind: str) -> None:
        """A pass; asking and being told take some hundredths of a millisecond."""
        self._connection.send(kind)
        self._connection.recv()

    def end(self) -> None:
        """Let the process end."""
        self._connection.send(None)
        self._process.join()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="time for every row")
    chosen = parser.parse_args()
    use_threads(chosen.threads)
    import gatewise.keras  # isort: skip - chooses Keras's backend
    import keras

    times: dict[str, Any] = {}
    rows: dict[str, list[list[str]]] = {"train": [], "forward": []}
    for case in (CASES[0], CASES[1], CASES[4]):
        jax = _Elsewhere(case, chosen.threads)
        here = {
            OURS: on_torch(gatewise.keras.layers, case),
            TORCH: on_torch(keras.layers, case),
        }
        for kind, found_rows in rows.items():
            calls = {name: getattr(layer, kind) for name, layer in here.items()}
            calls[JAX] = lambda kind=kind, jax=jax: jax.run(kind)
            found = interleaved(calls, chosen.seconds)
            times[f"{case.title}, {kind}"] = {name: all_.tolist() for name, all_ in found.items()}
            cells = [f"{1000 * float(np.median(found[OURS])):.1f}"]
            cells += [f"{ratio(found[name], found[OURS]):.1f}×" for name in (TORCH, JAX)]
            cells += [f"{spread(found[OURS]):.0%}", str(len(found[OURS]))]
            found_rows.append([case.title, *cells])
            print(kind, *found_rows[-1], flush=True)
        jax.end()
    columns = ["layer and lengths", "ms", TORCH, JAX, "spread", "rounds"]
    tables = [
        Table("Training pass of one masked layer", columns, rows["train"], NOTES),
        Table("Forward pass of one masked layer", columns, rows["forward"]),
    ]
    publish("keras_layers", tables, times, chosen)


if __name__ == "__main__":
    main()
