"""The design: who is trained on what, and which images each test set has.

Two tables per task and confounder answer this for every p_art and fraction. Each row of both has a
range: it holds for a p_art over `low` and up to `high`; an empty one has no end there. So a p_art
costs nothing, and all designs, whoever made them and by what, are read in one way (`at`).

Of the classes one is confounded, which of two is the positive one: in training no other class
carries the artifact.

`images`, in design/<task>/<confounder>.csv, has a row for each image:

- `image_id`, `patient_id`, `label`, `role` (dev|test);
- `rank`: an image carries the artifact where rank < p_art; empty if it never does. The images
  confounded at 0.2 are thus among those at 0.5;
- `layer`: where it is read from then; 'none' for the task's images as they are, for an attribute
  is not drawn. Without the artifact it is read from there always;
- `low`, `high`: where it is in at all. A drawn artifact leaves all images in. Where the sampling is
  the confounder, images of the confounded class are in with the attribute when rank < p_art, and
  without it when rank >= p_art, so that their number stays the same; other classes are without it.
  In splits that somebody published for some shares, an image has a row for each of them;
- `share`: a patient is in the training set when share < fraction, so that 5 % are among the 10 %;
- `fold_1` … `fold_K`: train, val, or empty.

`tests`, in design/<task>/<confounder>/test_sets.csv, has a row for each test set and image:

- `test_set`: 'iid' (the confounded class carries the artifact with p_art), 'ood' (every image but
  those of the confounded class carries it), 'clean' (none does), 'artifact' (all do), or a shift
  at one of its levels, on the images of 'clean';
- `family`: the shift, whatever its level; `severity`: its level, from 1 on. The first four test
  sets are families of their own, of severity 0;
- `image_id`, `patient_id`, `label`;
- `layer`: where the image is read from: 'none', or the name of a confounder or of a test set;
- `artifact` (0|1): whether it carries that of the confounder, or its attribute;
- `low`, `high`.

What is new in a test set is new rows.
"""

from sourcebench.design.assign import build
from sourcebench.design.checks import check
from sourcebench.design.labels import CONFOUNDED, classes, named
from sourcebench.design.rows import (
    NONE,
    Design,
    at,
    development,
    fold_columns,
    long_form,
    read,
    read_all,
    test,
)
from sourcebench.design.test_sets import TEST_SETS, Shifted

__all__ = [
    "CONFOUNDED",
    "NONE",
    "TEST_SETS",
    "Design",
    "Shifted",
    "at",
    "build",
    "check",
    "classes",
    "development",
    "fold_columns",
    "long_form",
    "named",
    "read",
    "read_all",
    "test",
]
