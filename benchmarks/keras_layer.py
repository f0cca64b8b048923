"""One recurrent layer as Keras has it, on JAX."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import numpy as np
from cases import Case
from layers import Layer


def installed() -> bool:
    """Whether Keras and JAX are."""
    return bool(find_spec("keras") and find_spec("jax"))


def keras(case: Case) -> Layer:
    """Keras's masked layer on JAX, compiled as `fit` would compile it."""
    os.environ["KERAS_BACKEND"] = "jax"
    import jax
    from keras import layers

    lengths = case.lengths()
    shape = case.texts, int(lengths.max())
    layer: Any = getattr(layers, case.cell.upper())(case.size, return_sequences=True)
    if case.directions == 2:
        layer = layers.Bidirectional(layer)
    layer.build((*shape, case.inputs))
    weights = [variable.value for variable in layer.trainable_variables]
    others = [variable.value for variable in layer.non_trainable_variables]
    random = np.random.default_rng(0)
    x = jax.numpy.asarray(random.normal(size=(*shape, case.inputs)).astype(np.float32))
    mask = jax.numpy.asarray(np.arange(shape[1]) < lengths[:, None])
    size = case.directions * case.size
    d_hidden = jax.numpy.asarray(random.normal(size=(*shape, size)).astype(np.float32))

    def run(weights: Any, x: Any) -> Any:
        return layer.stateless_call(weights, others, x, mask=mask)[0]

    forward = jax.jit(run)
    train = jax.jit(jax.grad(lambda *inputs: (run(*inputs) * d_hidden).sum(), argnums=(0, 1)))
    return Layer(
        lambda: jax.block_until_ready(forward(weights, x)),
        lambda: jax.block_until_ready(train(weights, x)),
        int(lengths.sum()),
    )
