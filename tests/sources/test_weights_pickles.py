"""Pickled networks are read for their tensors; nothing that a file names is run or looked up."""

import builtins
import os
import pickle
import subprocess

import pytest
import torch
import torchvision
from torch import nn

from sourcebench.errors import SourceBenchError
from sourcebench.sources.formats import checkpoints, pickles
from sourcebench.sources.weights import write_weights


class Calls:
    """Unpickled by pickle itself, it would call a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def small():
    torch.manual_seed(1)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2).half())
    network[0].register_buffer("nothing", torch.zeros(0, 3))
    network[0].register_buffer("scratch", torch.ones(2), persistent=False)
    network[2].weight = nn.Parameter(network[2].weight.detach().t().contiguous().t())
    return network


def saved(tmp_path, content, zipped):
    path = tmp_path / "network.pt"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


zips = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


@zips
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_networks_state_is_that_of_state_dict(tmp_path, zipped, wrapped):
    network = small()
    content = {"epoch": 3, "model": network} if wrapped else network
    found = checkpoints.read(saved(tmp_path, content, zipped))
    assert list(found) == list(network.state_dict())
    for name, tensor in network.state_dict().items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_a_network_of_a_library_comes_without_the_library_being_asked(tmp_path, monkeypatch):
    network = torchvision.models.squeezenet1_0(weights=None)
    path = saved(tmp_path, network, zipped=True)
    monkeypatch.setattr(torchvision.models.squeezenet, "SqueezeNet", None)
    assert list(checkpoints.read(path)) == list(network.state_dict())


@zips
@pytest.mark.parametrize("command", ["system", "open", "eval", "popen"])
def test_what_a_file_wants_to_run_is_refused(tmp_path, zipped, command):
    target = tmp_path / "executed"
    calls = {
        "system": (os.system, f"touch {target}"),
        "open": (open, str(target), "w"),
        "eval": (builtins.eval, f"open({str(target)!r}, 'w')"),
        "popen": (subprocess.Popen, ["touch", str(target)]),
    }
    network = small()
    network.extra = Calls(*calls[command])
    path = saved(tmp_path, network, zipped)
    with pytest.raises(SourceBenchError, match=r"network\.pt was not loaded.*asks for \w+\.") as no:
        checkpoints.read(path)
    assert "\n" not in str(no.value)
    assert not target.exists()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_bare_pickle_beside_a_state_dict_writes_no_weights(tmp_path, protocol):
    target, path = tmp_path / "executed", tmp_path / "network.pt"
    content = {"state_dict": {}, "extra": Calls(open, str(target), "w")}
    path.write_bytes(pickle.dumps(content, protocol))
    entry = {"kind": "file", "path": str(path), "mean": 0.5, "std": 0.5}
    with pytest.raises(SourceBenchError, match=r"network\.pt was not loaded"):
        write_weights("mine", entry, "tiny_resnet", tmp_path / "w.safetensors", seed=1, threads=1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["network.pt"]


@zips
def test_a_function_of_a_known_library_is_not_called_either(tmp_path, zipped):
    target = tmp_path / "executed"
    network = small()
    network.extra = Calls(torch.save, {}, str(target))
    assert list(checkpoints.read(saved(tmp_path, network, zipped))) == list(network.state_dict())
    assert not target.exists()


def test_what_stands_for_a_name_cannot_be_altered_by_a_file(tmp_path):
    # BUILD with (None, {attribute: value}) sets attributes on what was named before it.
    rebuild = b"ctorch._utils\n_rebuild_tensor\n"
    altering = b"\x80\x02" + rebuild + b"N}X\x08\x00\x00\x00__name__X\x01\x00\x00\x00xs\x86b."
    before = dict(vars(torch._utils._rebuild_tensor)), torch._utils._rebuild_tensor.__name__
    stand_in = pickles.STANDS_FOR["torch._utils", "_rebuild_tensor"]
    name = stand_in.__name__
    path = tmp_path / "network.pt"
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in (0, 1, {})) + altering)
    with pytest.raises(pickle.UnpicklingError):
        pickles.read(path)
    assert stand_in.__name__ == name
    assert before == (vars(torch._utils._rebuild_tensor), torch._utils._rebuild_tensor.__name__)


@zips
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9, 0.95, 0.98, 0.99, 0.999])
def test_a_truncated_network_is_one_sentence(tmp_path, zipped, kept):
    path = saved(tmp_path, small(), zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(SourceBenchError, match=r"network\.pt.*(broken|truncated)"):
        checkpoints.read(path)
