"""Where source and structure are confounded: one architecture, another exact network per source.

Keras' ResNet50 halves the image in another convolution than torchvision's, a DINOv2 has patches of
another size than the ViT it is compared with. What differs between two such sources may be the
network's and not the pretraining's.
"""

from collections.abc import Mapping
from typing import Any

KERAS = "keras_"
REMEDY = "imagenet_keras for ImageNet, and random weights with 'networks'"


def called(network: Mapping[str, Any]) -> str:
    """Return an exact network's name: that of timm's model, or of its builder.

    Options are left out: what they change (a size that is resampled, an auxiliary classifier that
    goes with the head) is not the structure.
    """
    return str(network.get("name", network["builder"]))


def mixed(networks: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return a sentence for each architecture whose sources bring different networks.

    Args:
        networks: architecture → source → what its network is `called`; those that are unknown are
            left out. All names as people are to read them.
    """
    sentences = []
    for arch, of_source in networks.items():
        groups: dict[str, list[str]] = {}
        for source, name in of_source.items():
            groups.setdefault(name, []).append(source)
        if len(groups) > 1:
            listed = "; ".join(f"{name} from {', '.join(who)}" for name, who in groups.items())
            keras = next((name for name in groups if name.startswith(KERAS)), None)
            remedy = f" Those that can take {keras}, too: {REMEDY}." if keras else ""
            sentences.append(
                f"{arch} is not the same network from every source ({listed}): where these differ, "
                f"it may be by structure and not by source.{remedy}"
            )
    return sentences
