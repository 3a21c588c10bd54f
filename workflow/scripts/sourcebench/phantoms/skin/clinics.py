"""How a clinic's images look: its dermatoscope, its light, its habits.

What is known of the datasets stands in their papers; the numbers here are chosen so that clinics
can be told apart at a glance, and not by one number alone.
"""

from dataclasses import dataclass

from sourcebench.registry import Registry


@dataclass(frozen=True)
class Clinic:
    """A clinic's way to take images; pairs are the lowest and the highest of its images.

    Attributes:
        gains: of red, green and blue, with grey skin in mind.
        exposure: factor of all light.
        contrast: exponent of the light; above 1 is harder.
        colour: saturation, 1 for that of the skin.
        zoom: magnification.
        falloff: share of the light that is lost in the corners.
        stop: chance of a round field of view with black around it.
        radius: of that field, in units of half the image's height.
        ruler: chance of a ruler's ticks along an edge.
        bubbles: chance of bubbles in the immersion's gel.
        glare: share of the light that is reflected at the surface: none when polarised.
        blur: a Gaussian's standard deviation, px of 256.
        grain: standard deviation of the noise, grey levels.
    """

    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    exposure: tuple[float, float] = (0.95, 1.08)
    contrast: tuple[float, float] = (0.95, 1.1)
    colour: tuple[float, float] = (0.9, 1.1)
    zoom: tuple[float, float] = (0.9, 1.2)
    falloff: tuple[float, float] = (0.0, 0.15)
    stop: float = 0.0
    radius: tuple[float, float] = (0.95, 1.1)
    ruler: float = 0.0
    bubbles: float = 0.0
    glare: float = 0.0
    blur: tuple[float, float] = (0.0, 0.4)
    grain: tuple[float, float] = (1.0, 2.5)


CLINICS: Registry[Clinic] = Registry("clinic of a phantom")

CLINICS.register("mskcc")(
    Clinic(gains=(1.03, 0.97, 1.0), zoom=(0.7, 1.1), ruler=0.5, falloff=(0.05, 0.25), bubbles=0.1)
)
CLINICS.register("barcelona")(
    Clinic(
        gains=(0.97, 0.98, 1.09), contrast=(1.0, 1.25), zoom=(0.85, 1.5), stop=0.6,
        falloff=(0.15, 0.4), bubbles=0.35, glare=0.04,
    )
)  # fmt: skip
CLINICS.register("vienna")(
    Clinic(gains=(1.04, 0.96, 0.93), colour=(1.0, 1.25), stop=0.1, bubbles=0.25, glare=0.02)
)
CLINICS.register("sydney")(
    Clinic(
        gains=(1.0, 1.0, 0.97), exposure=(1.05, 1.2), colour=(0.75, 0.95), zoom=(0.6, 0.95),
        ruler=0.15, grain=(0.5, 1.2),
    )
)  # fmt: skip
CLINICS.register("queensland")(
    Clinic(
        gains=(1.08, 0.95, 0.90), exposure=(0.78, 0.95), zoom=(0.7, 1.0), falloff=(0.2, 0.45),
        blur=(0.4, 1.0), grain=(2.0, 4.0),
    )
)  # fmt: skip
CLINICS.register("molemax")(
    Clinic(
        gains=(1.05, 1.0, 0.86), colour=(0.7, 0.9), contrast=(0.8, 0.95), zoom=(1.0, 1.5),
        blur=(0.8, 1.4), grain=(1.5, 3.0), glare=0.03,
    )
)  # fmt: skip
CLINICS.register("modern")(Clinic(gains=(1.03, 0.96, 0.98), colour=(1.0, 1.2), bubbles=0.3))
CLINICS.register("rosendahl")(
    Clinic(
        gains=(1.0, 0.93, 1.04), exposure=(0.95, 1.1), contrast=(1.05, 1.3), zoom=(1.0, 1.5),
        falloff=(0.1, 0.3), ruler=0.1,
    )
)  # fmt: skip
CLINICS.register("dias")(
    Clinic(
        gains=(1.06, 0.97, 0.80), contrast=(1.1, 1.4), exposure=(0.85, 1.0), grain=(3.0, 6.0),
        bubbles=0.5, glare=0.03,
    )
)  # fmt: skip
CLINICS.register("atlas")(
    Clinic(
        gains=(0.98, 1.03, 0.90), contrast=(1.1, 1.4), grain=(2.5, 5.0), bubbles=0.6, stop=0.2,
        radius=(1.05, 1.25), falloff=(0.1, 0.3),
    )
)  # fmt: skip
CLINICS.register("tuebinger")(
    Clinic(
        gains=(1.02, 1.02, 0.84), exposure=(0.82, 0.95), zoom=(0.95, 1.25), stop=0.85,
        radius=(1.12, 1.25), bubbles=0.2, blur=(0.3, 0.8),
    )
)  # fmt: skip
