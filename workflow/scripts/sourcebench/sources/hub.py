"""The Hugging Face hub: which file it handed out, or why it did not."""

import os
from pathlib import Path

from sourcebench.errors import SourceBenchError

REFUSALS = (401, 403)
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin")


def cached(repo: str) -> Path | None:
    """Return the file of weights of a repository that lies in the hub's cache, if there is one.

    It is in a folder named by its commit. Of several, the first of `WEIGHTS` is what timm loads.

    Args:
        repo: `organisation/name`.
    """
    from huggingface_hub import try_to_load_from_cache

    for name in WEIGHTS:
        found = try_to_load_from_cache(repo, name)
        if isinstance(found, str):
            return Path(found)
    return None


def refusal(error: OSError, name: str, repo: str, *, gated: bool) -> SourceBenchError:
    """Return the error to raise where the hub's client raised one.

    Args:
        error: what it raised.
        name: the source's name in the config.
        repo: the repository, `organisation/name`.
        gated: whether the source is known to want its licence accepted.
    """
    # 'huggingface_hub' is not asked: its errors carry the response they are about.
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in REFUSALS and (gated or type(error).__name__ == "GatedRepoError"):
        return SourceBenchError(
            f"The weights of source '{name}' want their licence accepted first: log in on "
            f"https://huggingface.co/{repo} and accept it there, run 'hf auth login' on this "
            "machine (or set HF_TOKEN), then run the same command again."
        )
    if status is not None and 400 <= status < 500:
        return SourceBenchError(
            f"huggingface.co has no '{repo}' for source '{name}', or hides it (HTTP status "
            f"{status}). Correct the name and the revision; if it is private, run 'hf auth login'."
        )
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    return SourceBenchError(
        f"The weights of source '{name}' could not be fetched from huggingface.co ({repo}) and "
        f"are not in the cache {home} ({type(error).__name__}). Connect to the network once, or "
        "point HF_HOME to a cache that has them and set HF_HUB_OFFLINE=1."
    )
