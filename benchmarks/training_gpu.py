"""ResNet50 fine-tuning on a graphics card: our loop against the same step on a fixed batch.

512², batch 32, bf16. The loop is that of a run (`steps.py`); the fixed batch lies on the card as
the network takes it. They take turns of some seconds; medians are compared. The share of the card's
peak counts a multiplication and an addition as two operations, of the convolutions and matrix
products of a step, forward and backward. The peak is the maker's figure (dense bf16) where the
card is in the table below, else that of a large matrix product, measured here.

    python benchmarks/training_gpu.py [--rounds 5] [--steps 50]
"""

import argparse
import time

import torch
from steps import FineTuning, FixedBatch, Time, common, median, recipe
from torch.utils.flop_counter import FlopCounterMode

SIZE, BATCH = 512, 32
TARGET = 0.9

# Dense bf16, 10^12 operations per second, by the makers' data sheets; the first that fits counts.
PEAKS = {
    "H100 PCIe": 756,
    "H100 NVL": 835,
    "H100": 989,
    "H200": 989,
    "A100": 312,
    "A40": 150,
    "A10G": 70,
    "L40S": 362,
    "L4": 121,
    "RTX 4090": 165,
    "RTX 3090": 71,
}


def peak(device: torch.device) -> tuple[float, str]:
    """Return operations per second, and where the figure is from."""
    card = torch.cuda.get_device_name(device)
    words = card.replace("-", " ")
    for name, tera in PEAKS.items():
        if f" {name} " in f" {words} ":
            return tera * 1e12, "the maker's figure"
    side, times = 8192, 20
    left, right = torch.randn(2, side, side, device=device, dtype=torch.bfloat16)
    for count in (3, times):  # the first ones warm up
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        for _ in range(count):
            left @ right
        torch.cuda.synchronize(device)
        seconds = time.perf_counter() - start
    return 2 * side**3 * times / seconds, f"a matrix product of side {side}, measured"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each")
    parser.add_argument("--steps", type=int, default=50, help="timed steps per turn")
    parser.add_argument("--warm", type=int, default=10, help="steps before these, not timed")
    options = parser.parse_args()

    if not torch.cuda.is_available():
        print("PyTorch finds no graphics card here, so there is nothing to measure.")
        return
    device = torch.device("cuda", 0)
    how = recipe(BATCH, accelerator="gpu", precision="bf16", threads=1)
    count = (options.warm + options.steps) * BATCH + 2
    images = torch.randint(0, 256, (count, SIZE, SIZE, 1), dtype=torch.uint8)
    loop = FineTuning(images, how, device, options.warm)
    fixed = FixedBatch(loop)
    print(f"ResNet50, {SIZE}², batch {BATCH}, bf16; {torch.cuda.get_device_name(device)}; ", end="")
    print(common.machine(), flush=True)

    contenders = {"ours": loop, "fixed batch": fixed}
    times: dict[str, list[Time]] = {name: [] for name in contenders}
    for _ in range(options.rounds):
        for name, training in contenders.items():
            times[name] += training.run(options.steps)
    medians = {name: median(taken).clock for name, taken in times.items()}

    with FlopCounterMode(display=False) as counter:
        fixed.step()
    operations, (most, origin) = counter.get_total_flops(), peak(device)
    print(f"{operations / 1e12:.2f} · 10^12 operations a step; ", end="")
    print(f"the card's peak is {most / 1e12:.0f} · 10^12 a second ({origin})")
    for name, clock in medians.items():
        print(f"{name:<12} {1000 * clock:7.1f} ms a step, {BATCH / clock:7.0f} images/s, ", end="")
        print(f"{operations / clock / most:6.1%} of the peak")
    speed = medians["fixed batch"] / medians["ours"]
    common.verdict("ours, speed as a share of the fixed batch's", speed, at_least=TARGET)


if __name__ == "__main__":
    main()
