"""Layouts: the names that other programs give to the tensors of networks that timm builds.

timm itself knows the layouts of the original ViT, DINO, MAE, CLIP, Swin and ConvNeXt code; here
are those of Hugging Face transformers and of a `Sequential` of torchvision's networks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

Tensors = dict[str, Tensor]
Layout = Callable[[Tensors, nn.Module], Tensors | None]

BLOCK = r"(?:encoder\.layer|layers)\.(\d+)\."
# Hugging Face's Dinov2Model and ViTModel → the names of DINOv2's own code, which timm takes.
TRANSFORMERS = [
    (r"embeddings\.(position_embeddings)", "pos_embed"),
    (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
    (r"embeddings\.(cls_token|mask_token|register_tokens)", r"\1"),
    (BLOCK + r"layernorm_before", r"blocks.\1.norm1"),
    (BLOCK + r"layernorm_after", r"blocks.\1.norm2"),
    (BLOCK + r"norm(\d)", r"blocks.\1.norm\2"),
    (BLOCK + r"attention\.(?:output\.dense|o_proj)", r"blocks.\1.attn.proj"),
    (BLOCK + r"layer_scale(\d)\.lambda1", r"blocks.\1.ls\2.gamma"),
    (BLOCK + r"(?:mlp\.fc1|intermediate\.dense)", r"blocks.\1.mlp.fc1"),
    (BLOCK + r"(?:mlp\.fc2|output\.dense)", r"blocks.\1.mlp.fc2"),
    (r"layernorm", "norm"),
]
ATTENTION = re.compile(BLOCK + r"attention\.(?:attention\.)?(q|k|v)(?:uery|ey|alue|_proj)\.(\w+)")

# Hugging Face's ResNetModel, a ResNet v1.5 as timm's, which counts everything from 0.
RESNET_STEM = {"convolution": "conv1", "normalization": "bn1"}
RESNET_LAYER = re.compile(
    r"encoder\.stages\.(\d+)\.layers\.(\d+)\.(?:layer\.(\d+)|shortcut)"
    r"\.(convolution|normalization)\.(\w+)"
)

# The children of torchvision's networks, in their order; those without tensors are ''.
CHILDREN = {
    "ResNet": "conv1 bn1 . . layer1 layer2 layer3 layer4",
    "DenseNet": "features",
    "InceptionV3": "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3 . Conv2d_3b_1x1 Conv2d_4a_3x3 . "
    "Mixed_5b Mixed_5c Mixed_5d Mixed_6a Mixed_6b Mixed_6c Mixed_6d Mixed_6e "
    "Mixed_7a Mixed_7b Mixed_7c",
}


def from_transformers(tensors: Tensors, _: nn.Module) -> Tensors | None:
    """Return the tensors of a ViT of Hugging Face transformers under DINOv2's own names.

    Query, key and value become one tensor. None: they are not in this layout.
    """
    anchor = "embeddings.patch_embeddings.projection.weight"
    prefix = next((name.removesuffix(anchor) for name in tensors if name.endswith(anchor)), None)
    if prefix is None:
        return None
    renamed: Tensors = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if not name.startswith(prefix):
            continue
        own = name.removeprefix(prefix)
        if match := ATTENTION.fullmatch(own):
            block, part, kind = match.groups()
            parts.setdefault(f"blocks.{block}.attn.qkv.{kind}", {})[part] = tensor
        elif not own.startswith("pooler."):
            renamed[_substituted(own)] = tensor
    for name, three in parts.items():
        if len(three) == len("qkv"):
            renamed[name] = torch.cat([three[part] for part in "qkv"])
    return renamed


def from_transformers_resnet(tensors: Tensors, _: nn.Module) -> Tensors | None:
    """Return the tensors of a ResNet of Hugging Face transformers under torchvision's names.

    `resnet.encoder.stages.0.layers.0.layer.0.convolution.weight` is `layer1.0.conv1.weight`. None:
    they are not in this layout.
    """
    stem = "embedder.embedder."
    anchor = f"{stem}convolution.weight"
    prefix = next((name.removesuffix(anchor) for name in tensors if name.endswith(anchor)), None)
    if prefix is None:
        return None
    renamed: Tensors = {}
    for name, tensor in tensors.items():
        own = name.removeprefix(prefix)
        if own.startswith(stem):
            kind, rest = own.removeprefix(stem).split(".", 1)
            own = f"{RESNET_STEM.get(kind, kind)}.{rest}"
        elif match := RESNET_LAYER.fullmatch(own):
            stage, block, place, kind, rest = match.groups()
            if place is None:
                layer = f"downsample.{int(kind == 'normalization')}"
            else:
                layer = f"{'conv' if kind == 'convolution' else 'bn'}{int(place) + 1}"
            own = f"layer{int(stage) + 1}.{block}.{layer}.{rest}"
        renamed[own] = tensor
    return renamed


def from_sequential(tensors: Tensors, backbone: nn.Module) -> Tensors | None:
    """Return the tensors of a `Sequential` of a torchvision network's children under their names.

    RadImageNet's PyTorch files are so: `backbone.0.weight`, `backbone.4.0.conv1.weight`. None: they
    are not in this layout, or torchvision has no such network.
    """
    children = CHILDREN.get(type(backbone).__name__, "").split()
    names = [re.fullmatch(r"(?:[A-Za-z_]+\.)*(\d+)\.(.+)", name) for name in tensors]
    if not all(name and int(name[1]) < len(children) for name in names):
        return None
    return {
        f"{children[int(name[1])]}.{name[2]}": tensor
        for name, tensor in zip(names, tensors.values(), strict=True)
        if name
    }


def translate(tensors: Mapping[str, Tensor], backbone: nn.Module) -> Tensors:
    """Return a checkpoint's tensors under timm's names, as far as their layout is known."""
    found = dict(tensors)
    for layout in LAYOUTS:
        found = layout(found, backbone) or found
    return found


def filtered_by_timm(tensors: Mapping[str, Tensor], backbone: nn.Module) -> Tensors:
    """Return the tensors as timm's own filter for this family of networks makes them.

    It knows the layouts of the original publications, and resamples position embeddings to the
    network's size. Where timm has none, or it can't make sense of them, they stay as they are.
    """
    filtering = getattr(sys.modules[type(backbone).__module__], "checkpoint_filter_fn", None)
    if filtering is None:
        return dict(tensors)
    try:
        filtered: Tensors = filtering(dict(tensors), backbone)
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
        return dict(tensors)  # another network's: what is missing is said when they are matched
    return filtered


def _substituted(name: str) -> str:
    for pattern, ours in TRANSFORMERS:
        name, count = re.subn(rf"^{pattern}(?=\.|$)", ours, name)
        if count:
            break
    return name


LAYOUTS: tuple[Layout, ...] = (from_transformers, from_transformers_resnet, from_sequential)
