"""The modules among torch's tools: compile, export, script, hooks, parametrizations, DDP."""

from __future__ import annotations

import copy
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.export import Dim
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from gatewise import nn
from gatewise.nn import RaggedTensor

KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def padded(*shape: int) -> Tensor:
    return torch.randn(*shape, 5)


def ragged(*lengths: int) -> RaggedTensor:
    return RaggedTensor(torch.randn(sum(lengths), 5), torch.tensor([0, *lengths]).cumsum(0))


def packed(*lengths: int) -> PackedSequence:
    return pack_sequence([torch.randn(n, 5) for n in lengths], enforce_sorted=False)


def rows_of(batch: Any) -> Tensor:
    if isinstance(batch, RaggedTensor):
        return batch.values
    rows: Tensor = batch.data if isinstance(batch, PackedSequence) else batch
    return rows


def outcome(call: Any, module: Any, batch: Any) -> list[Tensor]:
    """The output, the final states and the gradients of the weights."""
    module.zero_grad()
    output, final = call(batch)
    finals = list(final) if isinstance(final, tuple) else [final]
    loss = rows_of(output).square().sum() + torch.stack([part.sum() for part in finals]).sum()
    torch.autograd.backward(loss)
    return [rows_of(output), *finals, *(part.grad.clone() for part in module.parameters())]


def check_same(got: list[Tensor], wanted: list[Tensor]) -> None:
    for one, other in zip(got, wanted, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)


FORMS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "padded": (padded, [(6, 3), (8, 4), (9, 2)]),
    "ragged": (ragged, [(3, 0, 4), (1, 2, 5, 7)]),
    "packed": (packed, [(3, 1, 4), (1, 2, 5, 7)]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore")  # of the compiler's own making
def test_a_module_compiles_in_one_graph(form: str) -> None:
    torch.compiler.reset()
    torch.manual_seed(0)
    module = nn.LSTM(5, 9, 2, bidirectional=True, batch_first=True)
    compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
    make, shapes = FORMS[form]
    for shape in shapes:
        batch = make(*shape)
        check_same(outcome(compiled, module, batch), outcome(module, module, batch))


@pytest.mark.skipif(not shutil.which("g++"), reason="The default backend needs a C++ compiler.")
@pytest.mark.filterwarnings("ignore")
def test_the_default_backend_compiles_a_model() -> None:
    torch.compiler.reset()
    torch.manual_seed(0)
    model: Any = torch.nn.Sequential(torch.nn.Linear(5, 5), nn.LSTM(5, 9))
    compiled = torch.compile(model, fullgraph=True, dynamic=True)
    for shape in ((6, 3), (9, 2)):
        batch = padded(*shape)
        check_same(outcome(compiled, model, batch), outcome(model, model, batch))


@pytest.mark.filterwarnings("ignore")
def test_a_model_around_every_module_compiles() -> None:
    torch.compiler.reset()
    torch.manual_seed(0)
    for kind in KINDS.values():
        model: Any = torch.nn.Sequential(torch.nn.Linear(5, 5), kind(5, 9))
        compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
        batch = padded(7, 3)
        check_same(outcome(compiled, model, batch), outcome(model, model, batch))


@pytest.mark.parametrize("form", FORMS)
def test_an_exported_module_takes_other_sizes(form: str) -> None:
    torch.manual_seed(0)
    module = nn.LSTM(5, 9, 2, bidirectional=True).eval()
    make, shapes = FORMS[form]
    first = make(*shapes[0])
    if form == "packed":  # export takes no PackedSequence for an input

        class FromParts(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = module

            def forward(self, data: Tensor, sizes: Tensor) -> Tensor:
                output: PackedSequence = self.inner(PackedSequence(data, sizes))[0]
                return output.data

        dims: Any = ({0: Dim("rows")}, {0: Dim("steps", min=1)})
        program = torch.export.export(FromParts(), first[:2], dynamic_shapes=dims)
    else:
        free: Any = {0: Dim.DYNAMIC}
        dims = (RaggedTensor(free, free),) if form == "ragged" else ({**free, 1: Dim.DYNAMIC},)
        program = torch.export.export(module, (first,), dynamic_shapes=dims)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    exported = torch.export.load(file).module()
    for shape in shapes:
        batch = make(*shape)
        if form == "packed":
            got = exported(*batch[:2])
            wanted = module(PackedSequence(*batch[:2]))[0].data
        else:
            got, wanted = rows_of(exported(batch)[0]), rows_of(module(batch)[0])
        assert torch.equal(got, wanted)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")  # torch.jit is on its way out
def test_traces_are_torch_s(kind: str) -> None:
    model: Any = torch.nn.Sequential(KINDS[kind](5, 9, 2))
    batch = padded(7, 3)
    wanted = model(batch)[0]
    trace: Any = torch.jit.trace
    traced = trace(model, batch)
    assert f"aten::{'rnn_tanh' if kind == 'rnn' else kind}" in str(traced.inlined_graph)
    assert torch.allclose(traced(batch)[0], wanted, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore")  # torch.jit is on its way out
def test_scripting_is_refused_and_leaves_the_model_alone(kind: str) -> None:
    model: Any = torch.nn.Sequential(torch.nn.Linear(5, 5), KINDS[kind](5, 9))
    children = list(model)
    for module in (model, model[1]):
        with pytest.raises(
            RuntimeError, match=r"cannot read a gatewise\.nn\.\w+\. Use torch\.export"
        ):
            torch.jit.script(module)
    assert all(one is other for one, other in zip(model, children, strict=True))


def test_hooks_see_calls_and_gradients() -> None:
    module: Any = nn.GRU(5, 9)
    seen: list[tuple[str, tuple[int, ...]]] = []
    module.register_forward_pre_hook(lambda _, args: seen.append(("before", args[0].shape)))
    module.register_forward_hook(lambda _, args, output: seen.append(("after", output[0].shape)))
    module.register_full_backward_hook(lambda *args: seen.append(("backward", args[2][0].shape)))
    module.weight_hh_l0.register_hook(lambda gradient: gradient * 0)
    module(padded(7, 3).requires_grad_())[0].sum().backward()
    assert seen == [("before", (7, 3, 5)), ("after", (7, 3, 9)), ("backward", (7, 3, 9))]
    assert module.weight_hh_l0.grad is not None
    assert not module.weight_hh_l0.grad.any()


def test_parametrized_weights_are_used() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.LSTM(5, 9), torch.nn.LSTM(5, 9)
    theirs.load_state_dict(ours.state_dict())
    ours, theirs = weight_norm(ours, "weight_hh_l0"), weight_norm(theirs, "weight_hh_l0")
    batch = padded(7, 3)
    for _ in range(2):  # again, after the norms have changed
        check_same(outcome(ours, ours, batch), outcome(theirs, theirs, batch))
        for module in (ours, theirs):
            with torch.no_grad():
                for part in module.parameters():
                    part.mul_(1.5)
    assert nn.runs_on(ours) == {"": "kernel"}


def test_other_weights_may_be_put_in_their_place() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.LSTM(5, 9), torch.nn.LSTM(5, 9)
    theirs.load_state_dict(ours.state_dict())
    weights = {name: torch.randn_like(part) for name, part in ours.named_parameters()}
    batch = padded(7, 3)
    got, wanted = (torch.func.functional_call(m, weights, (batch,))[0] for m in (ours, theirs))
    assert torch.allclose(got, wanted, atol=1e-6)


def test_transforms_of_functions_are_torch_s() -> None:
    torch.manual_seed(0)
    ours: Any = nn.LSTM(5, 9)
    batch = padded(7, 3)

    def loss(weights: dict[str, Tensor]) -> Tensor:
        output: Tensor = torch.func.functional_call(ours, weights, (batch,))[0]
        return output.square().sum()

    weights = {name: part.detach() for name, part in ours.named_parameters()}
    gradients = torch.func.grad(loss)(weights)
    torch.autograd.backward(loss(dict(ours.named_parameters())))
    for name, part in ours.named_parameters():
        assert torch.allclose(gradients[name], part.grad, rtol=1e-4, atol=1e-5)
    with torch.autograd.forward_ad.dual_level():
        assert nn.runs_on(ours)[""].startswith("torch: a transform")
    with torch.autocast("cpu"):
        assert ours(batch)[0].dtype == torch.bfloat16
        assert nn.runs_on(ours) == {"": "torch: torch.autocast is on"}


def test_inference_mode_and_checkpoints() -> None:
    torch.manual_seed(0)
    module, batch = nn.LSTM(5, 9), padded(7, 3).requires_grad_()
    wanted = module(batch)[0]
    with torch.inference_mode():
        assert torch.equal(module(batch)[0], wanted)
    (d_wanted,) = torch.autograd.grad(wanted.sum(), batch)
    again = torch.utils.checkpoint.checkpoint(lambda x: module(x)[0], batch, use_reentrant=False)
    assert torch.equal(torch.autograd.grad(again.sum(), batch)[0], d_wanted)


def test_meta_modules_become_real_ones() -> None:
    module = nn.LSTM(5, 9, device="meta")
    assert module(padded(7, 3).to("meta"))[0].shape == (7, 3, 9)
    assert nn.runs_on(module) == {"": "torch: its weights are on meta"}
    other = nn.LSTM(5, 9)
    module = module.to_empty(device="cpu")
    module.load_state_dict(other.state_dict())
    batch = padded(7, 3)
    assert torch.equal(module(batch)[0], other(batch)[0])


TRAIN = """
import sys, torch
from torch.nn.parallel import DistributedDataParallel
from gatewise import nn
folder, rank = sys.argv[1], int(sys.argv[2])
torch.distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/init", rank=rank, world_size=2
)
torch.manual_seed(0)
batch = torch.randn(6, 4, 5)
module = DistributedDataParallel(nn.LSTM(5, 9, 2))
module(batch[:, rank * 2 : rank * 2 + 2])[0].square().sum().backward()
torch.save([part.grad for part in module.parameters()], f"{folder}/gradients-{rank}")
torch.distributed.destroy_process_group()
"""


def test_two_processes_share_their_gradients(tmp_path: Path) -> None:
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(tmp_path), str(rank)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    torch.manual_seed(0)
    batch = padded(6, 4)
    module: Any = nn.LSTM(5, 9, 2)
    (module(batch)[0].square().sum() / 2).backward()
    wanted = [part.grad for part in module.parameters()]
    for rank in range(2):
        check_same(torch.load(tmp_path / f"gradients-{rank}"), wanted)


def test_optimizers_and_copies_go_their_own_ways() -> None:
    torch.manual_seed(0)
    module = nn.LSTM(5, 9)
    other = copy.deepcopy(module)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    batch = padded(7, 3)
    before = module(batch)[0]
    before.square().sum().backward()
    optimizer.step()
    assert not torch.equal(module(batch)[0], before)
    assert torch.equal(other(batch)[0], before)
