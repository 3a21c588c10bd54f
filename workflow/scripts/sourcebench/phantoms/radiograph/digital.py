"""What a digital system makes of a radiograph: raised edges, a flat histogram, lead letters."""

import cv2
import numpy as np

from sourcebench.imaging import Image

_COLLIMATED, _MARKED = 0.45, 0.8


def process(image: Image, rng: np.random.Generator) -> Image:
    """Process a phantom as digital radiographs are.

    Args:
        image: H×W, uint8.
        rng: the image's own: how much edges are raised, whether and where a collimator cut the
            beam, and a letter of lead that marks a side.

    Returns:
        H×W, uint8, every grey level about as frequent as any other.
    """
    height, width = image.shape
    film = image.astype(np.float32)
    grey = np.asarray(cv2.GaussianBlur(film, (0, 0), 0.9), np.float32)  # the film's grain
    for sigma, gain in ((1.2, rng.uniform(0.3, 0.7)), (height / 24, rng.uniform(0.4, 0.8))):
        grey += np.float32(gain) * (grey - cv2.GaussianBlur(grey, (0, 0), sigma))
    grey += np.float32(rng.uniform(0.2, 0.6)) * rng.standard_normal(grey.shape, np.float32)
    flat = np.asarray(cv2.equalizeHist(np.clip(grey, 0, 255).astype(np.uint8)), np.uint8)
    if rng.uniform() < _COLLIMATED:
        flat[_outside(height, width, rng)] = 0
    if rng.uniform() < _MARKED:
        _letter(flat, rng)
    return flat


def _outside(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return where the collimator let no rays through: around a frame that is turned a little."""
    turn = np.radians(rng.normal(0, 1.5))
    half = np.array([width, height]) * rng.uniform(0.455, 0.5, 2)
    corners = half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    c, s = np.cos(turn), np.sin(turn)
    frame = corners @ np.array([[c, s], [-s, c]]) + np.array([width, height]) / 2
    inside = cv2.fillPoly(
        np.zeros((height, width), np.uint8), [np.round(frame).astype(np.int32)], 1
    )
    return np.asarray(inside == 0)


def _letter(image: Image, rng: np.random.Generator) -> None:
    """Set a letter of lead beside the shoulder of the side that it names, the patient's."""
    height, width = image.shape
    side = str(rng.choice(["L", "R"], p=[0.7, 0.3]))
    scale = height / 612
    across = rng.uniform(0.06, 0.11)
    x = (1 - across if side == "L" else across) * width - 8 * scale
    y = rng.uniform(0.07, 0.2) * height
    place = (round(float(x)), round(float(y)))
    thick = max(1, round(3 * scale))
    cv2.putText(image, side, place, cv2.FONT_HERSHEY_SIMPLEX, 0.9 * scale, 250, thick, cv2.LINE_AA)
