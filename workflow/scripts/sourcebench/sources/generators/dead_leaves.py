"""Dead leaves: images with the statistics of natural ones, drawn from no photograph.

After Baradad et al. 2021, "Learning to See by Looking at Noise": leaves of one shape family fall on
each other, their radii distributed as r⁻³, which yields the edges, occlusions and scale invariance
of natural images. The classes are the generating parameters: family × texture of the leaves. One
family is letters, since ImageNet's classes contain them (the computer keyboard, as Source Matters
notes in section 3). It stands in for ImageNet where nothing can be downloaded; it has neither its
size nor its objects.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from sourcebench.sources.generators.base import GENERATORS, Field, Generator, Grey

FAMILIES = ("discs", "squares", "triangles", "sticks", "letters")
TEXTURES = ("flat", "striped", "grainy")
LETTERS = "ABCDEFGHJKLMNPQRSTUVXYZ23456789"
OVERSAMPLING = 2  # drawn at twice the size and averaged, so that edges are not jagged
LARGEST = 0.3  # radius of the largest leaf, as a share of the image
SMALLEST = 2.5  # radius of the smallest leaf, in pixels
LEAVES = 280
UNDERGROWTH = 40  # the first leaves are large, so that no background is left

Ids = npt.NDArray[np.int32]


def _corners(family: str, rng: np.random.Generator, count: int) -> Field:
    """Return unit polygons, count×corners×2: the outlines of a family, each turned."""
    corners = {"discs": 16, "triangles": 3}.get(family, 4)
    angle = (np.arange(corners) + 0.5) * 2 * np.pi / corners
    outline = np.stack([np.cos(angle), np.sin(angle)], -1) * np.ones((count, 1, 1))
    if family == "sticks":
        outline = outline * (1.6, 0.25)
    # Squares stand upright, as buildings and windows do; the others fall as they may.
    turn = np.zeros(count) if family == "squares" else rng.uniform(0, 2 * np.pi, count)
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    return np.asarray(np.einsum("nij,ncj->nci", rotation, outline), np.float32)


@cache
def _glyph(letter: str) -> Grey:
    """Return a letter's bounding box, a few dozen pixels high: 1 on the letter, 0 beside it."""
    page = np.zeros((96, 96), np.uint8)
    cv2.putText(page, letter, (16, 72), cv2.FONT_HERSHEY_SIMPLEX, 1.8, 255, 7)
    x, y, width, height = cv2.boundingRect(page)
    return (page[y : y + height, x : x + width] > 127).astype(np.uint8)


def _stamp(
    ids: Ids, letter: str, centre: npt.NDArray[np.float64], radius: float, leaf: int
) -> None:
    """Lay a letter of height 2·radius on what has fallen so far, cut off at the image's edge."""
    glyph = _glyph(letter)
    height = max(round(2 * radius), 4)
    width = max(round(height * glyph.shape[1] / glyph.shape[0]), 2)
    top, left = int(centre[1]) - height // 2, int(centre[0]) - width // 2
    mask = cv2.resize(glyph, (width, height), interpolation=cv2.INTER_NEAREST)
    mask = mask[max(-top, 0) :, max(-left, 0) :]
    under = ids[max(top, 0) : top + height, max(left, 0) : left + width]
    under[mask[: under.shape[0], : under.shape[1]] > 0] = leaf


def _fall(family: str, rng: np.random.Generator, side: int) -> Ids:
    """Return side×side: which leaf lies on top of each pixel."""
    low, high = SMALLEST * OVERSAMPLING, LARGEST * side
    # The inverse of r⁻³'s distribution function between its two ends.
    share = rng.random(LEAVES)
    radii = (low**-2 - share * (low**-2 - high**-2)) ** -0.5
    radii[:UNDERGROWTH] = rng.uniform(0.5, 1.0, UNDERGROWTH) * high
    centres = rng.uniform(0, side, (LEAVES, 2))
    polygons = np.rint(
        _corners(family, rng, LEAVES) * radii[:, None, None] + centres[:, None]
    ).astype(np.int32)
    letters = rng.integers(len(LETTERS), size=LEAVES)
    ids: Ids = np.zeros((side, side), np.int32)
    for leaf in range(LEAVES):
        if family == "letters" and leaf >= UNDERGROWTH:
            _stamp(ids, LETTERS[letters[leaf]], centres[leaf], radii[leaf], leaf)
        else:
            cv2.fillConvexPoly(ids, polygons[leaf], leaf)
    return ids


def _shade(texture: str, ids: Ids, rng: np.random.Generator) -> Field:
    """Return the leaves' grey levels, in [0, 255] or slightly outside."""
    side = len(ids)
    levels = rng.normal(rng.uniform(90, 165), rng.uniform(35, 60), LEAVES).astype(np.float32)
    image = levels[ids]
    if texture == "striped":
        angle = rng.uniform(0, np.pi) + rng.normal(0, 0.5, LEAVES)
        pace = 2 * np.pi / (rng.uniform(3, 8, LEAVES) * OVERSAMPLING)
        across = (pace * np.cos(angle)).astype(np.float32)
        down = (pace * np.sin(angle)).astype(np.float32)
        grid = np.arange(side, dtype=np.float32)
        image += rng.uniform(20, 40) * np.sin(across[ids] * grid + down[ids] * grid[:, None])
    elif texture == "grainy":
        strength = rng.uniform(10, 30, LEAVES).astype(np.float32)
        grain = rng.standard_normal((side, side), np.float32)
        image += strength[ids] * cv2.GaussianBlur(grain, (0, 0), 1.0) * 3
    else:
        slope = rng.normal(0, 25.0 / side, (LEAVES, 2)).astype(np.float32)
        grid = np.arange(side, dtype=np.float32) - side / 2
        image += slope[ids, 0] * grid + slope[ids, 1] * grid[:, None]
    return np.asarray(image, np.float32)


def draw(rng: np.random.Generator, label: int, size: int) -> Grey:
    """Return a dead-leaves image of a class.

    Args:
        rng: where all randomness comes from.
        label: index into `CLASSES`.
        size: side in pixels.

    Returns:
        size×size, uint8.
    """
    family, texture = FAMILIES[label // len(TEXTURES)], TEXTURES[label % len(TEXTURES)]
    image = _shade(texture, _fall(family, rng, size * OVERSAMPLING), rng)
    image = np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA), np.float32)
    image += rng.uniform(1, 4) * rng.standard_normal((size, size), np.float32)
    return np.clip(image, 0, 255).astype(np.uint8)


CLASSES = tuple(f"{texture} {family}" for family in FAMILIES for texture in TEXTURES)

GENERATORS.register("dead_leaves")(
    Generator(
        CLASSES,
        draw,
        "Baradad et al., Learning to See by Looking at Noise, NeurIPS 2021",
    )
)
