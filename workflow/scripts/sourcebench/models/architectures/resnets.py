"""ResNets smaller than the paper's, for small cards and short studies."""

from sourcebench.models.registry import ARCHITECTURES, Architecture

for _layers in (18, 34):
    ARCHITECTURES.register(f"resnet{_layers}")(
        Architecture(f"ResNet{_layers}", {"builder": "timm", "name": f"resnet{_layers}"})
    )
