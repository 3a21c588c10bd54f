"""Monte Carlo dropout of a head, against the forward pass that its features come from.

ResNet50 at 224², a batch of 32, on the CPU; T passes of the head alone, from features that are
there, and beside them the distances to some thousand training images.

    python benchmarks/dropout.py [--passes 50] [--classes 2 1139] [--trained 2000]
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from common import machine, verdict

from sourcebench.models import build_backbone
from sourcebench.models.classifier import Classifier
from sourcebench.training.measures import MEASURES, Learned, Subject

TARGET = 0.2  # of a forward pass
IMAGES, SIDE, ROUNDS = 32, 224, 5


def seconds(work: Callable[[], Any]) -> float:
    """Return the least time of a few rounds, after one that is not counted."""
    work()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passes", type=int, default=50)
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 1139])
    parser.add_argument("--trained", type=int, default=2000, help="training images")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    print(machine())
    images = torch.randn(IMAGES, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    backbone = build_backbone("resnet50").to(memory_format=torch.channels_last).eval()
    with torch.inference_mode():
        forward = seconds(lambda: backbone(images))
        print(f"one forward pass of {IMAGES} images: {forward:.2f} s")
        features = backbone(images)
        trained = features.repeat(options.trained // IMAGES + 1, 1)[: options.trained]
        trained = trained + 0.1 * torch.randn_like(trained)
        for classes in options.classes:
            network = Classifier(backbone, classes).eval()
            learned = Learned(trained, torch.arange(len(trained)) % classes)
            subject = Subject(network, classes, options.passes, 0, lambda told=learned: told)
            for name in MEASURES.names():
                start = time.perf_counter()
                measured = MEASURES.get(name).of(subject)
                fitted = time.perf_counter() - start
                taken = seconds(lambda work=measured: work(features, images))
                print(f"{name}, {classes} classes: fitted {fitted:.2f} s, {1e3 * taken:.1f} ms")
                verdict(f"{name}, {classes} classes, of a pass", taken / forward, at_most=TARGET)


if __name__ == "__main__":
    main()
