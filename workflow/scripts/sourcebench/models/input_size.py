"""Networks at other input sizes than the one they were pretrained at."""

import math
from typing import Any

from torch import Tensor, nn
from torch.nn import functional


def set_input_size(backbone: Any, size: int) -> Any:
    """Return a backbone that takes images of a size; convolutional networks take any.

    A ViT's position embeddings are resampled (bicubic) to the new grid of patches; at its own size
    nothing changes. Swin's windows keep their size in patches, and are as large as the map where
    that is smaller. Images that are no multiple of the patch get their edges repeated up to the
    next, so that no pixel is left out.

    Args:
        backbone: any of `build_backbone`; it is altered.
        size: height and width of the images in pixels.
    """
    patches: Any = getattr(backbone, "patch_embed", None)
    if patches is None or not hasattr(backbone, "set_input_size"):  # timm's name for it
        return backbone
    patch = patches.patch_size[0]
    covered = math.ceil(size / patch) * patch
    if covered != patches.img_size[0]:
        stages = [stage for stage in getattr(backbone, "layers", ()) if hasattr(stage, "blocks")]
        windows = [stage.blocks[0].window_size for stage in stages]
        options = {"window_size": windows} if windows else {}
        backbone.set_input_size(img_size=(covered, covered), **options)
    if covered != size:
        before, after = (covered - size) // 2, (covered - size + 1) // 2
        edges = (before, after, before, after)

        def extend(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (functional.pad(inputs[0], edges, mode="replicate"), *inputs[1:])

        backbone.register_forward_pre_hook(extend)
    return backbone
