"""Weights in other programs' layouts compute what those programs compute."""

import pytest
import torch
import torchvision
import torchxrayvision
from torch import nn
from torch.nn import functional

from sourcebench.errors import SourceBenchError
from sourcebench.models import build_network
from sourcebench.sources import Normalisation
from sourcebench.sources.weights import load_backbone, write_weights

WIDTH, HEADS, PATCH, SIDE = 32, 4, 14, 70
VIT = {"depth": 2, "embed_dim": WIDTH, "num_heads": HEADS, "img_size": SIDE}
ENTRY = {"kind": "file", "mean": 0.5, "std": 0.5}


def converted(tmp_path, content, arch, **entry):
    """What `load_backbone` makes of a checkpoint, and the normalisation with it."""
    checkpoint, path = tmp_path / "checkpoint.pth", tmp_path / "weights.safetensors"
    if content is not None:
        torch.save(content, checkpoint)
    entry = ENTRY | {"path": str(checkpoint)} | entry
    write_weights("mine", entry, arch, path, seed=1, threads=1)
    backbone, normalisation = load_backbone(arch, path)
    return backbone.eval(), normalisation


def random_tensors(shapes, seed=7):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(*shape, generator=generator) / 6 for name, shape in shapes.items()}


def linear(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name):
    return {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}


def images(side=SIDE, seed=3):
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(seed))


def transformers_vit(kind, prefix="", registers=0):
    """A state dict with the names that Hugging Face's Dinov2Model or ViTModel gives."""
    first, second = ("norm1", "norm2") if kind == "dinov2" else LAYERNORMS
    rise, fall = (
        ("mlp.fc1", "mlp.fc2") if kind == "dinov2" else ("intermediate.dense", "output.dense")
    )
    shapes = {
        "embeddings.cls_token": (1, 1, WIDTH),
        "embeddings.position_embeddings": (1, 1 + (SIDE // PATCH) ** 2, WIDTH),
        "embeddings.patch_embeddings.projection.weight": (WIDTH, 3, PATCH, PATCH),
        "embeddings.patch_embeddings.projection.bias": (WIDTH,),
    } | norm("layernorm")
    if kind == "dinov2":
        shapes["embeddings.mask_token"] = (1, WIDTH)
    else:
        shapes |= linear("pooler.dense", WIDTH, WIDTH)
    if registers:
        shapes["embeddings.register_tokens"] = (1, registers, WIDTH)
    for layer in range(VIT["depth"]):
        name = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            shapes |= linear(f"{name}.attention.attention.{part}", WIDTH, WIDTH)
        shapes |= linear(f"{name}.attention.output.dense", WIDTH, WIDTH)
        shapes |= linear(f"{name}.{rise}", 4 * WIDTH, WIDTH)
        shapes |= linear(f"{name}.{fall}", WIDTH, 4 * WIDTH)
        shapes |= norm(f"{name}.{first}") | norm(f"{name}.{second}")
        if kind == "dinov2":
            shapes |= {f"{name}.layer_scale{i}.lambda1": (WIDTH,) for i in (1, 2)}
    return {prefix + name: tensor for name, tensor in random_tensors(shapes).items()}


LAYERNORMS = ("layernorm_before", "layernorm_after")


def transformers_forward(state, pixels, kind, registers=0):
    """What such a network computes (its class token's features), from its equations."""
    first, second = ("norm1", "norm2") if kind == "dinov2" else LAYERNORMS
    rise, fall = (
        ("mlp.fc1", "mlp.fc2") if kind == "dinov2" else ("intermediate.dense", "output.dense")
    )

    def apply(name, x):
        return functional.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def normed(name, x):
        weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
        return functional.layer_norm(x, (WIDTH,), weight, bias, eps=1e-6)

    def split(x):
        return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)

    projection = "embeddings.patch_embeddings.projection"
    x = functional.conv2d(
        pixels, state[f"{projection}.weight"], state[f"{projection}.bias"], stride=PATCH
    )
    x = torch.cat([state["embeddings.cls_token"].expand(len(x), -1, -1), x.flatten(2).mT], 1)
    x = x + state["embeddings.position_embeddings"]
    if registers:
        tokens = state["embeddings.register_tokens"].expand(len(x), -1, -1)
        x = torch.cat([x[:, :1], tokens, x[:, 1:]], 1)
    for layer in range(VIT["depth"]):
        name = f"encoder.layer.{layer}"
        scales = [state.get(f"{name}.layer_scale{i}.lambda1", 1) for i in (1, 2)]
        y = normed(f"{name}.{first}", x)
        query, key, value = (
            split(apply(f"{name}.attention.attention.{part}", y))
            for part in ("query", "key", "value")
        )
        weights = (query @ key.mT / (WIDTH // HEADS) ** 0.5).softmax(-1)
        y = (weights @ value).transpose(1, 2).flatten(2)
        x = x + scales[0] * apply(f"{name}.attention.output.dense", y)
        y = apply(f"{name}.{rise}", normed(f"{name}.{second}", x))
        x = x + scales[1] * apply(f"{name}.{fall}", functional.gelu(y))
    return normed("layernorm", x)[:, 0]


@pytest.mark.parametrize(
    ("kind", "registers", "network", "prefix"),
    [
        ("dinov2", 0, "vit_small_patch14_dinov2", ""),
        ("dinov2", 4, "vit_small_patch14_reg4_dinov2", "dinov2."),
        ("vit", 0, "vit_small_patch16_224", "vit."),
    ],
)
@torch.no_grad()
def test_a_vit_of_transformers(tmp_path, kind, registers, network, prefix):
    state = transformers_vit(kind, registers=registers)
    expected = transformers_forward(state, images(), kind, registers)
    content = {prefix + name: tensor for name, tensor in state.items()}
    content |= {"classifier.weight": torch.zeros(3, WIDTH), "classifier.bias": torch.zeros(3)}
    options = VIT | {"patch_size": PATCH} | ({"init_values": None} if kind == "vit" else {})
    networks = {"vit_small": {"builder": "timm", "name": network, **options}}
    backbone, _ = converted(tmp_path, content, "vit_small", networks=networks)
    torch.testing.assert_close(backbone(images()), expected, atol=2e-5, rtol=1e-4)


class Clip(nn.Module):
    """The vision tower of OpenAI's CLIP (Radford et al. 2021), with its names of tensors."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 16, 16, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(WIDTH))
        self.positional_embedding = nn.Parameter(torch.randn(17, WIDTH))
        self.ln_pre, self.ln_post = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.proj = nn.Parameter(torch.randn(WIDTH, 8))
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(self.block() for _ in range(VIT["depth"]))

    def block(self):
        block = nn.Module()
        block.attn = nn.MultiheadAttention(WIDTH, HEADS)
        block.ln_1, block.ln_2, block.mlp = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH), nn.Module()
        block.mlp.c_fc = nn.Linear(WIDTH, 4 * WIDTH)
        block.mlp.c_proj = nn.Linear(4 * WIDTH, WIDTH)
        return block

    def forward(self, pixels):
        x = self.conv1(pixels).flatten(2).mT
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1)
        x = self.ln_pre(x + self.positional_embedding).transpose(0, 1)
        for block in self.transformer.resblocks:
            y = block.ln_1(x)
            x = x + block.attn(y, y, y, need_weights=False)[0]
            y = block.mlp.c_fc(block.ln_2(x))
            x = x + block.mlp.c_proj(y * torch.sigmoid(1.702 * y))
        return self.ln_post(x[0])


@torch.no_grad()
def test_the_vision_tower_of_clip(tmp_path):
    torch.manual_seed(11)
    tower = Clip()
    content = {f"visual.{name}": tensor for name, tensor in tower.state_dict().items()}
    content |= {"logit_scale": torch.ones(()), "token_embedding.weight": torch.zeros(9, 8)}
    network = {"builder": "timm", "name": "vit_base_patch16_clip_quickgelu_224", **VIT}
    network["img_size"] = 64
    backbone, _ = converted(tmp_path, content, "vit_base", networks={"vit_base": network})
    torch.testing.assert_close(backbone(images(64)), tower(images(64)), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_an_open_clip_model_gives_its_vision_trunk(tmp_path):
    network = {"builder": "timm", "name": "vit_base_patch16_224", **VIT, "img_size": 64}
    torch.manual_seed(12)
    trunk = build_network(network).eval()
    content = {f"visual.trunk.{name}": tensor for name, tensor in trunk.state_dict().items()}
    content |= {"visual.head.proj.weight": torch.zeros(8, WIDTH), "logit_scale": torch.ones(())}
    content |= {"text.transformer.encoder.layer.0.output.dense.weight": torch.zeros(4, 4)}
    backbone, _ = converted(tmp_path, content, "vit_base", networks={"vit_base": network})
    assert torch.equal(backbone(images(64)), trunk(images(64)))


@torch.no_grad()
def test_a_masked_autoencoder_gives_its_encoder(tmp_path):
    network = {"builder": "timm", "name": "vit_base_patch16_224", **VIT, "img_size": 64}
    torch.manual_seed(13)
    encoder = build_network(network).eval()
    content = encoder.state_dict() | {"mask_token": torch.zeros(1, 1, 8)}
    content |= {"decoder_embed.weight": torch.zeros(8, WIDTH)}
    entry = {"networks": {"vit_base": network}, "rename": {"decoder_": None}}
    backbone, _ = converted(tmp_path, {"model": content}, "vit_base", **entry)
    assert torch.equal(backbone(images(64)), encoder(images(64)))


class Convolution(nn.Module):
    """A convolution and its normalisation, as Hugging Face's ResNetModel names them."""

    def __init__(self, width, out, size, stride=1):
        super().__init__()
        self.convolution = nn.Conv2d(width, out, size, stride, size // 2, bias=False)
        self.normalization = nn.BatchNorm2d(out)

    def forward(self, x):
        return self.normalization(self.convolution(x))


class Layer(nn.Module):
    def __init__(self, width, out, stride, bottleneck):
        super().__init__()
        self.shortcut = nn.Identity()
        if stride != 1 or width != out:
            self.shortcut = Convolution(width, out, 1, stride)
        narrow = out // 4
        parts = [(width, out, 3, stride), (out, out, 3)]
        if bottleneck:
            parts = [(width, narrow, 1), (narrow, narrow, 3, stride), (narrow, out, 1)]
        self.layer = nn.Sequential(*(Convolution(*part) for part in parts))

    def forward(self, x):
        y = x
        for place, part in enumerate(self.layer):
            y = part(functional.relu(y) if place else y)
        return functional.relu(y + self.shortcut(x))


class HuggingFaceResNet(nn.Module):
    """ResNetForImageClassification of He et al. 2016 in v1.5, with its names of tensors."""

    def __init__(self, depths, widths, bottleneck):
        super().__init__()
        self.resnet = nn.Module()
        self.resnet.embedder, self.resnet.encoder = nn.Module(), nn.Module()
        self.resnet.embedder.embedder = Convolution(3, 64, 7, 2)
        self.resnet.encoder.stages = nn.ModuleList()
        for number, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            before = widths[number - 1] if number else 64
            layers = [Layer(before, width, 2 if number else 1, bottleneck)]
            layers += [Layer(width, width, 1, bottleneck) for _ in range(depth - 1)]
            stage = nn.Module()
            stage.layers = nn.Sequential(*layers)
            self.resnet.encoder.stages.append(stage)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(widths[-1], 5))

    def forward(self, x):
        x = functional.relu(self.resnet.embedder.embedder(x))
        x = functional.max_pool2d(x, 3, 2, 1)
        for stage in self.resnet.encoder.stages:
            x = stage.layers(x)
        return x.mean((2, 3))


@pytest.mark.parametrize(
    ("arch", "depths", "widths", "bottleneck"),
    [
        ("resnet18", (2, 2, 2, 2), (64, 128, 256, 512), False),
        ("resnet50", (3, 4, 6, 3), (256, 512, 1024, 2048), True),
    ],
)
@torch.no_grad()
def test_a_resnet_of_transformers(tmp_path, arch, depths, widths, bottleneck):
    torch.manual_seed(14)
    published = lively(HuggingFaceResNet(depths, widths, bottleneck))
    content = published.state_dict()
    assert "resnet.encoder.stages.0.layers.0.layer.0.convolution.weight" in content
    for tensors in (content, {name.removeprefix("resnet."): content[name] for name in content}):
        backbone, _ = converted(tmp_path, tensors, arch)
        torch.testing.assert_close(
            backbone(images(96)), published(images(96)), atol=1e-5, rtol=1e-4
        )


def lively(network):
    """The network with statistics of batch normalisation that are not those of a new one."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, 0, 0.2)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("prefix", ["backbone.", ""])
@pytest.mark.parametrize("arch", ["resnet50", "densenet121", "inception_v3"])
@torch.no_grad()
def test_a_sequential_of_torchvision(tmp_path, arch, prefix):
    torch.manual_seed(5)
    options = {"aux_logits": False, "init_weights": False} if arch == "inception_v3" else {}
    whole = lively(getattr(torchvision.models, arch)(weights=None, **options))
    kept = nn.Sequential(*list(whole.children())[:-1])
    content = {prefix + name: tensor for name, tensor in kept.state_dict().items()}
    backbone, _ = converted(tmp_path, content, arch)
    features = kept(images(96))
    if arch == "densenet121":  # torchvision rectifies and pools in `forward`
        features = functional.relu(features).mean((2, 3))
    torch.testing.assert_close(backbone(images(96)), features.flatten(1), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("zipped", [True, False])
@torch.no_grad()
def test_a_whole_network_of_torchxrayvision(tmp_path, zipped):
    torch.manual_seed(6)
    published = lively(torchxrayvision.models.DenseNet())
    checkpoint = tmp_path / "checkpoint.pth"
    torch.save(published, checkpoint, _use_new_zipfile_serialization=zipped)
    grey = torch.randint(0, 256, (1, 64, 64, 1), generator=torch.Generator().manual_seed(1))
    scaled = torchxrayvision.utils.normalize(grey[..., 0].numpy(), 255)
    expected = published.features2(torch.from_numpy(scaled)[:, None])
    entry = {"mean": 0, "std": 1, "range": [-1024, 1024], "channels": "grey"}
    backbone, normalisation = converted(tmp_path, None, "densenet121", **entry)
    assert normalisation == Normalisation((0.5,) * 3, (1 / 2048,) * 3)
    torch.testing.assert_close(backbone(normalisation(grey)), expected, atol=1e-3, rtol=1e-4)


@torch.no_grad()
def test_a_network_for_bgr_images_takes_rgb(tmp_path):
    torch.manual_seed(8)
    published = build_network({"builder": "tiny_resnet"}).eval()
    mean, std = [103.939, 116.779, 123.68], [1.0, 2.0, 3.0]
    caffe = {"mean": mean, "std": std, "range": [0, 255], "channels": "BGR"}
    entry = {"per_arch": {"tiny_resnet": caffe, "resnet50": {"mean": 0}}}
    backbone, normalisation = converted(tmp_path, published.state_dict(), "tiny_resnet", **entry)
    grey = torch.randint(0, 256, (2, 40, 40, 1))
    bgr = ((grey - torch.tensor(mean)) / torch.tensor(std)).permute(0, 3, 1, 2)
    torch.testing.assert_close(backbone(normalisation(grey)), published(bgr), atol=1e-3, rtol=1e-4)
    colour = torch.randn(2, 3, 40, 40)
    torch.testing.assert_close(backbone(colour), published(colour.flip(1)))


def test_channels_that_are_not_the_networks_are_refused(tmp_path):
    state = build_network({"builder": "tiny_resnet"}).state_dict()
    with pytest.raises(SourceBenchError, match="first convolution for 3 channels, not for grey"):
        converted(tmp_path, state, "tiny_resnet", channels="grey")


def test_another_familys_weights_are_refused(tmp_path):
    state = build_network({"builder": "tiny_resnet"}).state_dict()
    for arch in ("vit_small", "swin_tiny", "convnext_tiny"):
        with pytest.raises(SourceBenchError, match=f"does not fit architecture '{arch}'"):
            converted(tmp_path, state, arch)
