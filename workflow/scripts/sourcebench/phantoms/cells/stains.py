"""The six stains of RxRx1, in the order of its channels w1 to w6 (Sypetkowski et al. 2023)."""

from collections.abc import Callable

import numpy as np

from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.cells.fields import Field
from sourcebench.registry import Registry

Stain = Callable[[Field, np.random.Generator], Array]
STAINS: Registry[Stain] = Registry("stain")
"""Each takes a field and returns how much light it sends, side×side float32, 0 where none is and
around 0.5 where much is. In the order of the channels."""


@STAINS.register("hoechst")
def hoechst(field: Field, rng: np.random.Generator) -> Array:
    """Return the nuclei's DNA."""
    grain = 1 + 0.3 * field.look.texture[0] * field.noise(rng, 5)
    dna = field.of_nuclei(field.bright / field.size)  # a smaller nucleus has it closer together
    return np.asarray(0.55 * field.core * dna * np.maximum(grain, 0))


@STAINS.register("concanavalin_a")
def concanavalin_a(field: Field, rng: np.random.Generator) -> Array:
    """Return the endoplasmic reticulum: a fine net, densest around the nucleus."""
    level = field.noise(rng, 3.5) + 0.7 * field.noise(rng, 9)
    net = 1 + 0.3 * field.look.texture[1] * level
    place = field.body * (0.22 + field.near) * (1 - 0.45 * field.core)
    return np.asarray(0.42 * place * field.of_cells(field.bright) * np.maximum(net, 0.1))


@STAINS.register("phalloidin")
def phalloidin(field: Field, rng: np.random.Generator) -> Array:
    """Return the actin: the cells' edges, and fibres along them."""
    fibres = np.maximum(field.streaks(rng, 60, 4), 0)
    inside = 0.1 + 0.3 * field.look.fibres * field.look.texture[2] * fibres
    return np.asarray((0.42 * field.rim + 0.7 * field.body * inside) * field.of_cells(field.bright))


@STAINS.register("syto14")
def syto14(field: Field, rng: np.random.Generator) -> Array:
    """Return the RNA: nucleoli, and less of it all over the cell."""
    owner = np.repeat(np.arange(len(field.size)), rng.poisson(field.look.nucleoli, len(field.size)))
    reach = 0.55 * field.look.nucleus * field.size[owner] ** 0.6
    angle, far = rng.uniform(0, 2 * np.pi, len(owner)), np.sqrt(rng.uniform(0, 1, len(owner)))
    shift = (reach * far)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    spots = field.dots(field.centre[owner] + shift, rng.uniform(1.4, 2.7, len(owner)))
    grain = 1 + 0.25 * field.look.texture[3] * field.noise(rng, 6)
    plain = 0.16 * field.body * (0.5 + field.near) + 0.1 * field.core
    bright = 0.35 * field.look.texture[3] * field.core * spots
    return np.asarray((plain * np.maximum(grain, 0.1) + bright) * field.of_cells(field.bright))


@STAINS.register("mitotracker")
def mitotracker(field: Field, rng: np.random.Generator) -> Array:
    """Return the mitochondria: threads around the nucleus."""
    level = field.noise(rng, 7) + 0.5 * field.noise(rng, 16)
    threads = np.exp(-((level / 0.3) ** 2))
    place = field.body * np.sqrt(field.near) * (1 - field.core)
    fine = 0.2 + field.look.texture[4] * threads
    return np.asarray(0.5 * place * fine * field.of_cells(field.bright))


@STAINS.register("wheat_germ_agglutinin")
def wheat_germ_agglutinin(field: Field, rng: np.random.Generator) -> Array:
    """Return Golgi apparatus and plasma membrane: grains at one side of the nucleus, and a rim."""
    each = 9
    owner = np.repeat(np.arange(len(field.size)), each)
    angle = np.repeat(rng.uniform(0, 2 * np.pi, len(field.size)), each)
    angle += 0.5 * rng.standard_normal(len(owner))
    far = field.look.nucleus * (1.25 + 0.25 * rng.standard_normal(len(owner)))
    centres = field.centre[owner] + far[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    golgi = field.dots(centres, rng.uniform(1.2, 3.0, len(owner)))
    plain = 0.16 * field.rim + 0.1 * field.body * (0.6 + field.near)
    grains = 0.35 * field.look.texture[5] * golgi * field.body
    return np.asarray((plain + grains) * field.of_cells(field.bright))
