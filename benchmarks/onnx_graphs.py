"""ONNX graphs of an LSTM layer and of a whole classifier, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatewise.kernels import Weights

Arrays = NDArray[Any]
Session = Callable[[Arrays], Arrays]
OPSET = 17


def installed() -> bool:
    """Whether onnx and ONNX Runtime are."""
    return bool(find_spec("onnx") and find_spec("onnxruntime"))


def layer(weights: Weights, threads: int) -> Session:
    """An LSTM layer over one text: (T, 1, E) → (T, 1, 1, H)."""
    from onnx import helper

    arrays = _lstm_arrays([weights])
    size = weights.weight_hh.shape[1]
    nodes = [helper.make_node("LSTM", ["x", "W", "R", "B"], ["hidden"], hidden_size=size)]
    shape = ["T", 1, weights.weight_ih.shape[1]]
    return _session(nodes, arrays, "x", np.float32, shape, "hidden", threads)


def classifier(weights: Mapping[str, Arrays], threads: int) -> Session:
    """Embedding, bidirectional LSTM, pooling "concat" and head: ids (T,) int64 → scores (1, L)."""
    from onnx import helper

    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ends = ("l0", "l0_reverse")
    arrays = _lstm_arrays(
        [Weights(*(weights[f"recurrent.{name}_{end}"] for name in names)) for end in ends]
    )
    size = weights["recurrent.weight_hh_l0"].shape[1]
    arrays |= {"table": weights["embedding.weight"], "head": weights["head.weight"]}
    arrays |= {"head_bias": weights["head.bias"]}
    arrays |= {"one": np.array([1]), "flat": np.array([0, -1]), "row": np.array([1, -1])}
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "ids"], ["words"]),
        node("Unsqueeze", ["words", "one"], ["x"]),  # (T, 1, E)
        node(
            "LSTM",
            ["x", "W", "R", "B"],
            ["states", "last"],  # (T, 2, 1, H) and (2, 1, H)
            hidden_size=size,
            direction="bidirectional",
        ),
        node("Reshape", ["states", "flat"], ["hidden"]),  # (T, 2 * H)
        node("ReduceMax", ["hidden"], ["greatest"], axes=[0], keepdims=1),
        node("ReduceMean", ["hidden"], ["mean"], axes=[0], keepdims=1),
        node("Reshape", ["last", "row"], ["final"]),  # (1, 2 * H)
        node("Concat", ["greatest", "mean", "final"], ["pooled"], axis=1),
        node("Gemm", ["pooled", "head", "head_bias"], ["scores"], transB=1),
    ]
    return _session(nodes, arrays, "ids", np.int64, ["T"], "scores", threads)


def _lstm_arrays(directions: Sequence[Weights]) -> dict[str, Arrays]:
    """The weights as ONNX orders them: gates input, output, forget, candidate."""

    def ordered(array: Arrays) -> Arrays:
        i, f, g, o = np.split(array, 4)
        return np.concatenate([i, o, f, g])

    biases = [[w.bias_ih, w.bias_hh] for w in directions]
    return {
        "W": np.stack([ordered(w.weight_ih) for w in directions]),
        "R": np.stack([ordered(w.weight_hh) for w in directions]),
        "B": np.stack([np.concatenate([ordered(b) for b in pair]) for pair in biases]),  # type: ignore[arg-type]
    }


def _session(
    nodes: list[Any],
    arrays: Mapping[str, Arrays],
    source: str,
    kind: Any,
    shape: list[Any],
    target: str,
    threads: int,
) -> Session:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    number = {np.float32: TensorProto.FLOAT, np.int64: TensorProto.INT64}[kind]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(source, number, shape)],
        [helper.make_tensor_value_info(target, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def run(values: Arrays) -> Arrays:
        found: Arrays = session.run(None, {source: values})[0]
        return found

    return run
