"""The command that looks at a user's data before anything is trained."""

import pandas as pd
import yaml

from conftest import ROOT, write_pngs
from planner import snakemake

STUDY = {
    "study": "mine",
    "datasets": {
        "mine": {"kind": "table", "origin": "path", "path": "images", "table": "mine.csv"}
    },
    "tasks": {
        "mine": {
            "title": "Mine", "dataset": "mine", "input_size": 32, "batch_size": 8,
            "labels": {"from": "metadata", "positive": "Mass", "negative": "None"},
            "samples": {"test": 8, "dev": 16, "positive": 0.5}, "val_fraction": 0.25,
            "monitor": "loss", "confounders": ["tag"],
        }
    },
    "experiment": {
        "tasks": ["mine"], "sources": ["random"], "archs": ["tiny_resnet"], "folds": 2, "audit": []
    },
}  # fmt: skip


def checked(folder, study, rule="check"):
    (folder / "mine.yaml").write_text(yaml.safe_dump(study))
    return snakemake(
        folder, "--snakefile", str(ROOT / "Snakefile"), "--cores", "1", "--configfile",
        "mine.yaml", "--workflow-profile", "none", rule,
    )  # fmt: skip


def test_the_command(tmp_path):
    names = [f"{i:02}.png" for i in range(40)]
    write_pngs(tmp_path / "images", names)
    findings = [("Mass", "None")[i % 2] for i in range(40)]
    rows = pd.DataFrame({"image_id": names, "patient_id": names, "findings": findings})
    rows.to_csv(tmp_path / "mine.csv", index=False)
    for _ in range(2):  # it is done anew each time
        status, said = checked(tmp_path, STUDY)
        assert status == 0, said
        assert "  drawn        dev (16), test (8), of 40" in said
    made = [path.name for path in tmp_path.glob("results/**/*") if path.is_file()]
    assert made == ["check.log"]
    for i in range(6):
        (tmp_path / "images" / names[i]).write_bytes(b"")
    status, said = checked(tmp_path, STUDY, "check_all")
    assert status != 0
    lost = said.count("unreadable   images/0")
    assert 0 < lost <= 6
    assert f"PROBLEM      {lost} of 24 images can't be read" in said
    write_pngs(tmp_path / "images", names)
    STUDY["tasks"]["mine"]["samples"] = {"column": "set"}
    status, said = checked(tmp_path, STUDY)
    assert status != 0
    assert "PROBLEM      tasks.mine: samples.column is 'set', which the dataset's" in said
    assert "Error: a run would stop at mine: see PROBLEM above" in said
