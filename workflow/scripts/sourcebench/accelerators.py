"""Which processor computes: a graphics card where there is one, else the CPU."""

from typing import Literal, TypeAlias

from sourcebench.errors import SourceBenchError

Processor: TypeAlias = Literal["cpu", "cuda", "mps"]
"""In PyTorch's words; 'mps' is the graphics card of an Apple chip."""

ACCELERATORS = ("auto", "cpu", "gpu")
"""What a config may ask for."""


def processor_of(accelerator: str, key: str) -> Processor:
    """Return the kind of processor to compute on.

    Args:
        accelerator: 'gpu' for a graphics card, NVIDIA's or Apple's, 'cpu', or 'auto' for a card
            where there is one.
        key: what the config calls it, for the message.

    Raises:
        SourceBenchError: 'gpu', and there is none.
    """
    if accelerator == "cpu":
        return "cpu"
    import torch  # takes a second, which not all who read this need

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    if accelerator == "gpu":
        raise SourceBenchError(
            f"{key} is 'gpu', but PyTorch finds no card here (CUDA, or Apple's MPS); set it to "
            "'auto' to use the CPU, or check the driver with nvidia-smi."
        )
    return "cpu"
