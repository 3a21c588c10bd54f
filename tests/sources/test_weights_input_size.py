"""Networks at other input sizes than that of their pretraining."""

import pytest
import torch

from sourcebench.models import build_backbone, build_network
from sourcebench.models.input_size import set_input_size
from sourcebench.sources.weights import load_backbone

FAMILIES = ["vit_small", "vit_base", "swin_tiny", "convnext_tiny"]
PATCH_14 = {"builder": "timm", "name": "vit_small_patch14_dinov2", "depth": 1, "img_size": 70}
DINOV3 = {"builder": "timm", "name": "vit_small_patch16_dinov3", "depth": 1}
ROTATED = {"builder": "timm", "name": "vit_small_patch14_reg4_dinov2", "depth": 1}


@pytest.mark.parametrize("size", [362, 512])
@pytest.mark.parametrize("arch", FAMILIES)
def test_every_family_takes_the_papers_sizes(arch, size):
    with torch.device("meta"):
        backbone = set_input_size(build_backbone(arch), size)
        assert backbone(torch.empty(2, 3, size, size)).shape == (2, backbone.num_features)


@pytest.mark.parametrize("size", [96, 256])
@pytest.mark.parametrize("network", [PATCH_14, DINOV3, ROTATED], ids=lambda entry: entry["name"])
@torch.no_grad()
def test_members_of_a_family_take_any_size(network, size):
    backbone = set_input_size(build_network(network), size)
    features = backbone(torch.randn(1, 3, size, size))
    assert features.shape == (1, 384)
    assert features.isfinite().all()


@pytest.mark.parametrize("arch", ["vit_small", "swin_tiny", "convnext_tiny", "tiny_resnet"])
@torch.no_grad()
def test_at_its_own_size_a_network_stays_as_it_is(arch):
    torch.manual_seed(1)
    plain = build_backbone(arch).eval()
    torch.manual_seed(1)
    sized = load_backbone(arch, None, 224)[0].eval()
    images = torch.randn(1, 3, 224, 224)
    assert torch.equal(sized(images), plain(images))


@torch.no_grad()
def test_position_embeddings_are_resampled_and_the_class_tokens_is_not():
    torch.manual_seed(2)
    backbone = build_network(PATCH_14)
    down = torch.linspace(0, 1, 5).repeat_interleave(5)[:, None].expand(-1, 384)
    own = backbone.pos_embed[:, :1].clone()
    backbone.pos_embed[:, 1:] = down
    set_input_size(backbone, 140)
    assert torch.equal(backbone.pos_embed[:, :1], own)
    grid = backbone.pos_embed[0, 1:].reshape(10, 10, 384)
    assert torch.allclose(grid[:, :1].expand_as(grid), grid, atol=1e-5)
    assert (grid[1:, 0, 0] > grid[:-1, 0, 0]).all()


def test_no_pixel_is_left_out_where_patches_do_not_divide_the_image():
    torch.manual_seed(3)
    backbone = set_input_size(build_network(PATCH_14), 75).eval()
    images = torch.randn(1, 3, 75, 75, requires_grad=True)
    backbone(images)[0, 0].backward()
    assert (images.grad != 0).all()


def test_swins_windows_keep_their_size_unless_the_map_is_smaller():
    with torch.device("meta"):
        large, small = (set_input_size(build_backbone("swin_tiny"), size) for size in (512, 96))
    assert [stage.blocks[0].window_size for stage in large.layers] == [(7, 7)] * 4
    assert [stage.blocks[0].window_size for stage in small.layers] == [
        (7, 7),
        (7, 7),
        (6, 6),
        (3, 3),
    ]
