"""What lesions of a diagnosis look like: a function of random numbers for each.

Which criteria go with which diagnosis follows dermoscopy's textbooks: the ABCD rule (Nachbar et al.
1994) and the seven-point checklist (Argenziano et al. 1998) for melanoma, network and globules for
naevi, cysts and openings for seborrhoeic keratoses, tree-like vessels, nests and ulcers for basal
cell carcinoma, a red net and scale for actinic keratosis, a central scar for dermatofibroma, red
lagoons for vascular lesions. How often each is there is chosen, not measured: so that naevi and
melanomas overlap, as they do for a dermatologist.
"""

from collections.abc import Callable

import numpy as np

from sourcebench.phantoms.skin.lesion import Lesion
from sourcebench.registry import Registry

DIAGNOSES: Registry[Callable[[np.random.Generator], Lesion]] = Registry("diagnosis of a phantom")
"""HAM10000's name of a diagnosis → a lesion of it, drawn at random."""


def _some(
    rng: np.random.Generator, chances: dict[str, float], scale: float = 1.0
) -> dict[str, float]:
    """Return structures that are there by their chances, each in an amount about `scale`."""
    rolls = rng.uniform(size=len(chances))
    amounts = scale * np.exp(0.3 * rng.standard_normal(len(chances)))
    return {
        name: float(amount)
        for (name, chance), roll, amount in zip(chances.items(), rolls, amounts, strict=True)
        if roll < chance
    }


def _melanocytic(rng: np.random.Generator, atypia: float) -> Lesion:
    """Return a naevus or melanoma: one scale of atypia, from 0 to 1, with chance around it."""

    def about(low: float, high: float) -> float:
        return float(np.clip(low + (high - low) * atypia + 0.13 * rng.standard_normal(), 0, 1))

    network, globules, _ = rng.dirichlet([1.2, 0.8, 0.7])
    structures = _some(
        rng,
        {
            "network": 0.25 + 0.7 * network,
            "globules": 0.15 + 0.7 * globules,
            "dots": 0.1 + 0.45 * atypia,
            "streaks": 0.02 + 0.55 * atypia**2,
            "blotches": 0.04 + 0.75 * atypia,
            "veil": 0.01 + 0.55 * atypia**2,
            "regression": 0.03 + 0.45 * atypia**2,
            "coils": 0.03 + 0.12 * atypia,
        },
    )
    return Lesion(
        radius=float(np.clip(rng.normal(0.40 + 0.13 * atypia, 0.08), 0.2, 0.72)),
        elongation=rng.uniform(0.02, 0.2),
        asymmetry=about(0.08, 0.8),
        irregularity=about(0.08, 0.65),
        softness=rng.uniform(0.12, 0.38),
        melanin=float(np.clip(rng.normal(0.62 + 0.22 * atypia, 0.2), 0.2, 1.3)),
        blood=rng.uniform(0, 0.25),
        variegation=about(0.2, 0.85),
        disorder=about(0.08, 0.8),
        structures=structures,
    )


@DIAGNOSES.register("nv")
def nv(rng: np.random.Generator) -> Lesion:
    """Return a melanocytic naevus; some are atypical."""
    return _melanocytic(rng, rng.beta(1.2, 6.5))


@DIAGNOSES.register("mel")
def mel(rng: np.random.Generator) -> Lesion:
    """Return a melanoma; some look like a naevus."""
    return _melanocytic(rng, rng.beta(4.0, 1.6))


@DIAGNOSES.register("bkl")
def bkl(rng: np.random.Generator) -> Lesion:
    """Return a benign keratosis: seborrhoeic, a solar lentigo, or lichen planus-like."""
    kind = rng.choice(["seborrhoeic", "lentigo", "lichenoid"], p=[0.55, 0.27, 0.18])
    chances = {
        "seborrhoeic": {"cysts": 0.85, "plugs": 0.7, "ridges": 0.55, "coils": 0.1, "flakes": 0.15},
        "lentigo": {"fingerprint": 0.9, "network": 0.2, "plugs": 0.1},
        "lichenoid": {"regression": 0.75, "dots": 0.3, "cysts": 0.2, "fingerprint": 0.2},
    }[kind]
    return Lesion(
        radius=rng.uniform(0.3, 0.62),
        elongation=rng.uniform(0.05, 0.3),
        asymmetry=rng.uniform(0.05, 0.55),
        irregularity=rng.uniform(0.15, 0.6),
        softness=rng.uniform(0.06, 0.2),
        melanin=rng.uniform(0.2, 0.8) if kind == "seborrhoeic" else rng.uniform(0.12, 0.4),
        blood=rng.uniform(0, 0.2),
        keratin=rng.uniform(0.1, 0.6) if kind == "seborrhoeic" else rng.uniform(0.05, 0.25),
        variegation=rng.uniform(0.2, 0.7),
        disorder=rng.uniform(0.05, 0.5),
        structures=_some(rng, chances),
    )


@DIAGNOSES.register("bcc")
def bcc(rng: np.random.Generator) -> Lesion:
    """Return a basal cell carcinoma, pigmented or not."""
    chances = {"trees": 0.75, "ulcer": 0.4, "nests": 0.5, "regression": 0.1, "cysts": 0.08}
    return Lesion(
        radius=rng.uniform(0.28, 0.6),
        elongation=rng.uniform(0.02, 0.2),
        asymmetry=rng.uniform(0.2, 0.7),
        irregularity=rng.uniform(0.1, 0.45),
        softness=rng.uniform(0.3, 0.7),
        melanin=rng.uniform(0.0, 0.15),
        blood=rng.uniform(0.12, 0.45),
        variegation=rng.uniform(0.2, 0.6),
        disorder=rng.uniform(0.3, 0.8),
        structures=_some(rng, chances),
    )


@DIAGNOSES.register("akiec")
def akiec(rng: np.random.Generator) -> Lesion:
    """Return an actinic keratosis, or Bowen's disease."""
    bowen = rng.uniform() < 0.4
    chances = (
        {"coils": 0.85, "flakes": 0.75, "dots": 0.25, "strawberry": 0.05}
        if bowen
        else {"strawberry": 0.8, "flakes": 0.6, "cysts": 0.1, "fingerprint": 0.12}
    )
    return Lesion(
        radius=rng.uniform(0.32, 0.66),
        elongation=rng.uniform(0.02, 0.25),
        asymmetry=rng.uniform(0.1, 0.6),
        irregularity=rng.uniform(0.2, 0.6),
        softness=rng.uniform(0.3, 0.8),
        melanin=rng.uniform(0.0, 0.28),
        blood=rng.uniform(0.2, 0.5),
        keratin=rng.uniform(0.0, 0.3),
        variegation=rng.uniform(0.2, 0.6),
        disorder=rng.uniform(0.1, 0.6),
        structures=_some(rng, chances),
    )


@DIAGNOSES.register("df")
def df(rng: np.random.Generator) -> Lesion:
    """Return a dermatofibroma."""
    return Lesion(
        radius=rng.uniform(0.3, 0.5),
        elongation=rng.uniform(0.0, 0.1),
        asymmetry=rng.uniform(0.0, 0.2),
        irregularity=rng.uniform(0.05, 0.2),
        softness=rng.uniform(0.5, 0.9),
        melanin=rng.uniform(0.15, 0.42),
        blood=rng.uniform(0.05, 0.3),
        variegation=rng.uniform(0.1, 0.3),
        disorder=rng.uniform(0.0, 0.25),
        structures=_some(rng, {"network": 0.75, "scar": 0.8, "coils": 0.1}, 0.8),
    )


@DIAGNOSES.register("vasc")
def vasc(rng: np.random.Generator) -> Lesion:
    """Return an angioma, or another vascular lesion."""
    return Lesion(
        radius=rng.uniform(0.22, 0.5),
        elongation=rng.uniform(0.0, 0.2),
        asymmetry=rng.uniform(0.0, 0.4),
        irregularity=rng.uniform(0.05, 0.35),
        softness=rng.uniform(0.1, 0.25),
        blood=rng.uniform(0.5, 1.1),
        variegation=rng.uniform(0.1, 0.4),
        disorder=rng.uniform(0.0, 0.4),
        structures=_some(rng, {"lagoons": 0.9, "veil": 0.12, "ulcer": 0.1}),
    )
