"""The tables of confidence scores, from stored predictions: how long they take on one core.

Networks that are made up, each tested on five test sets by nine scores, with every metric, its 95 %
interval over patients and the threshold by validation images: `confidence.csv` and
`risk_coverage.csv`. Reading files is left out.

    python benchmarks/confidence.py [--runs 36] [--images 100] [--classes 2]
"""

import argparse
import os
import sys
import time

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np
import pandas as pd
from common import ROOT, machine, verdict

sys.path.insert(0, str(ROOT / "tests"))
TARGET = 60.0  # seconds
SCORES = (
    "msr", "pe", "mcd_msr", "mcd_pe", "mcd_ee", "max_logit", "energy", "mahalanobis", "platt",
)  # fmt: skip
TEST_SETS = {
    "clean": ("iid", "clean", 0),
    **{f"noise_{level}": ("corruption", "noise", level) for level in range(1, 5)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=36)
    parser.add_argument("--images", type=int, default=100, help="of each test set")
    parser.add_argument("--classes", type=int, default=2)
    options = parser.parse_args()

    from sourcebench.evaluation.asked import Asked, Network
    from sourcebench.evaluation.confidence_table import confidence
    from sourcebench.evaluation.evidence import Evidence
    from sourcebench.evaluation.risk_coverage import risk_coverage
    from sourcebench.seeds import generator
    from synthetic_confidence import measured, table_of

    def said(labels: np.ndarray, *name: object) -> pd.DataFrame:
        rng = generator("benchmark", *name)
        logits = rng.normal(size=(len(labels), options.classes))
        logits[np.arange(len(labels)), labels] += 1.5
        return measured(table_of(logits, labels, per_patient=2), *name)

    labels = generator("labels").integers(0, options.classes, options.images)
    rows, tested, networks = [], [], []
    for run in range(options.runs):
        place = {"task": "made_up", "confounder": "none", "source": f"source_{run // 3}"}
        place |= {"arch": "resnet50", "p_art": 0.0, "fold": 1 + run % 3}
        network = Network("cross_entropy", said(labels[:100], run, "validation"))
        for test_set in TEST_SETS:
            rows.append({**place, "test_set": test_set, "n": options.images})
            tested.append(said(labels, run, test_set))
            networks.append(network)
    asked = Asked.of(SCORES, 0.95, TEST_SETS)
    evidence = Evidence(
        "made_up", "none", pd.DataFrame(rows), tested, asked=asked, networks=networks
    )
    print(machine())
    start, busy = time.monotonic(), time.process_time()
    table, curves = confidence(evidence), risk_coverage(evidence)
    seconds = time.process_time() - busy
    print(f"{len(table)} rows of scores, {len(curves)} of curves")
    print(f"{1000 * seconds / len(table):.1f} ms a row of scores")
    print(f"{time.monotonic() - start:.0f} s by the clock")
    verdict("both tables, seconds of one core", seconds, at_most=TARGET)


if __name__ == "__main__":
    main()
