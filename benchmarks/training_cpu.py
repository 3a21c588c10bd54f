"""ResNet50 training steps on the CPU: our fine-tuning loop, a plain loop, and a fixed batch.

- ours is the complete loop of a run (`steps.py`): images as one uint8 tensor, augmented as a batch,
  channels_last, bf16 where the processor multiplies it;
- the plain loop is what a tutorial has: PNGs (of the final size already, in its favour) read by
  Pillow in a `DataLoader`, torchvision's random affine map, three channels, normalisation; fp32,
  NCHW. It runs without and with two worker processes, and the faster counts;
- the fixed batch is our step without any input pipeline.

With `--colour` the images have three channels, and the plain loop is left out.

They take turns, a few steps each, and medians over all steps are compared, so that other programs
on the machine disturb all of them alike; the processors' time is disturbed less than the clock's
(it leaves out worker processes). With `--threads 1` threads don't wait for each other, either.

    python benchmarks/training_cpu.py [--rounds 6] [--steps 3] [--threads 2] [--colour]
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from steps import FineTuning, FixedBatch, Stopwatch, Time, common, median, network, recipe
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from sourcebench import devices

SIZE, BATCH = 256, 16
CPU = torch.device("cpu")


def radiographs(count: int) -> np.ndarray:
    """Return count×SIZE×SIZE×1 uint8 images as smooth and as grainy as radiographs."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(20, 230, (count, 12, 12)).astype(np.float32)
    smooth = [cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for image in coarse]
    grainy = np.clip(smooth + rng.normal(0, 1.2, (count, SIZE, SIZE)), 0, 255)
    return grainy.astype(np.uint8)[..., None]


class Pictures(Dataset):
    """PNGs in a folder, augmented and normalised one at a time."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.iterdir())
        self.transform = transforms.Compose(
            [
                transforms.RandomAffine(
                    degrees=10,
                    translate=(0.1, 0.1),
                    scale=(0.9, 1.1),
                    shear=0.1,
                    interpolation=transforms.InterpolationMode.BILINEAR,
                ),
                transforms.Grayscale(3),
                transforms.ToTensor(),
                transforms.Normalize([0.5] * 3, [0.25] * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.open(self.paths[index])), index % 2


class Plain:
    """The plain loop: fp32, NCHW, a `DataLoader` of PNGs."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.data, self.workers = Pictures(folder), workers
        self.network = network().train()
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-5, eps=1e-7)

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(DataLoader(self.data, BATCH, shuffle=True, num_workers=self.workers))

    def run(self, steps: int) -> list[Time]:
        torch.use_deterministic_algorithms(False)
        batches, watch = self.batches(), Stopwatch(CPU, 1, steps)
        for _ in range(1 + steps):
            images, labels = next(batches)
            loss = functional.cross_entropy(self.network(images), labels)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            watch.step()
        return watch.times()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6, help="turns of each")
    parser.add_argument("--steps", type=int, default=3, help="timed steps per turn")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of PyTorch")
    parser.add_argument("--colour", action="store_true", help="images of three channels")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    images = radiographs((options.steps + 1) * BATCH + 2)
    if options.colour:
        images = np.concatenate([images, 255 - images, images[:, ::-1]], axis=3)
    how = recipe(BATCH, accelerator="cpu", precision="auto", threads=options.threads)
    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(images):
            Image.fromarray(image[..., 0]).save(Path(folder) / f"{number:08d}_000.png")
        loop = FineTuning(torch.from_numpy(images), how, CPU)
        contenders = {"ours": loop, "fixed batch": FixedBatch(loop)}
        if not options.colour:
            contenders |= {
                "plain, no workers": Plain(Path(folder), 0),
                "plain, 2 workers": Plain(Path(folder), 2),
            }
        times: dict[str, list[Time]] = {name: [] for name in contenders}
        print(f"ResNet50, {SIZE}², batch {BATCH}, {devices.precision('auto', CPU)}, ", end="")
        print(f"{options.threads} threads; {common.machine()}", flush=True)
        for _ in range(options.rounds):
            for name, training in contenders.items():
                times[name] += training.run(options.steps)
    medians = {name: median(taken) for name, taken in times.items()}
    for name, (clock, processors) in medians.items():
        least = min(taken.clock for taken in times[name])
        print(f"{name:<18} {clock:6.2f} s a step (least {least:.2f}, ", end="")
        print(f"processors {processors:.2f}), {BATCH / clock:5.1f} images/s")
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    ours, fixed = medians["ours"], medians["fixed batch"]
    if not options.colour:
        alone = medians["plain, no workers"]
        plain = min(alone.clock, medians["plain, 2 workers"].clock)
        common.verdict("ours, times as fast as the plain loop", plain / ours.clock, at_least=1.5)
        print(f"by the processors' time (no workers): {alone.processors / ours.processors:.2f}")
    common.verdict("ours, time over the fixed batch's", ours.clock / fixed.clock, at_most=1.05)
    print(f"by the processors' time: {ours.processors / fixed.processors:.3f}")


if __name__ == "__main__":
    main()
