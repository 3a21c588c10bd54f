"""Weights that timm loads: those it publishes, and any on the hub that are made for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.models import network_of
from sourcebench.parameters import parameter
from sourcebench.schemas import Schema
from sourcebench.sources.base import KINDS, STRING, Network, Order, Supplier, Supply
from sourcebench.sources.hub import WEIGHTS, cached, refusal
from sourcebench.sources.identity import content_of
from sourcebench.sources.normalisation import Normalisation, triple

HUB, FOLDER = "hf-hub:", "local-dir:"  # timm's own prefixes
NOT_OF_THE_NETWORK = ("num_classes", "pretrained_model_args")
TAGS: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": STRING,
    "description": "architecture → tag",
}


@KINDS.register("timm")
@dataclass(frozen=True)
class Timm(Supplier):
    """timm's pretrained weights, by tag: `{kind: timm, tags: {resnet50: resnet50.tv_in1k}}`.

    A tag may also be a repository on the hub that was made with timm (`hf-hub:organisation/name`),
    or a copy of one on disk (`local-dir:path`, with its `config.json` and `model.safetensors`).
    Tags are always named: timm's plain names stand for its newest recipe, which may fine-tune
    quite differently from the plain training behind the paper's weights.

    Args:
        tags: each architecture's tag.
    """

    by_arch: ClassVar[tuple[str, ...]] = ("tags",)

    tags: dict[str, str] = parameter(
        help="a tag of timm's hub, `hf-hub:…` or `local-dir:…`; name it always, "
        "plain names mean modern recipes",
        schema=TAGS,
    )

    @property
    def covers(self) -> tuple[str, ...]:
        """The architectures that have a tag."""
        return tuple(self.tags)

    def network(self, arch: str) -> Network | None:
        """Return the network that a tag of timm's is of; a repository's says so itself, later."""
        tag = self.tags[arch]
        if tag.startswith((HUB, FOLDER)):
            return None
        return {"builder": "timm", "name": tag.partition(".")[0]}

    def fingerprint(self, arch: str) -> Any:
        """Return the SHA-256 of the files of a copy on disk; nothing for what timm publishes."""
        tag = self.tags[arch]
        if not tag.startswith(FOLDER):
            return None
        folder = Path(tag.removeprefix(FOLDER))
        return [content_of(folder / name) for name in ("config.json", *WEIGHTS)]

    def supply(self, order: Order) -> Supply:
        """Return the weights of a tag, downloaded or from the hub's cache, with their constants.

        Raises:
            SourceBenchError: timm knows no such weights or can't load them, neither the hub nor its
                cache has them, or they belong to another architecture.
        """
        import timm

        from sourcebench.sources.formats.checkpoints import sha256_of

        tag = self.tags[order.arch]
        where = f"sources.{order.name}.tags.{order.arch}"
        model = _loaded(tag, order.name, where, gated=self.gated)
        network = _network(model, order.arch, tag, where)
        facts: dict[str, Any] = model.pretrained_cfg
        if facts["input_size"][0] != len("RGB"):
            raise SourceBenchError(
                f"{where} is '{tag}', which takes images of {facts['input_size'][0]} channels; "
                "give its file of weights as a source of kind 'hub' or 'file', with `channels`."
            )
        place = str(facts.get("file") or facts.get("hf_hub_id") or facts.get("url"))
        origin = {"tag": tag, "from": place, "timm": timm.__version__}
        file = Path(place) if Path(place).is_file() else None
        if file is None and place.count("/") == 1 and (file := cached(place)):
            origin["commit"] = file.parent.name
        return Supply(
            tensors=model.state_dict(),
            normalisation=Normalisation(triple(facts["mean"]), triple(facts["std"])),
            origin=origin,
            sha256=sha256_of(file) if file else None,
            licence=facts.get("license"),
            network=network,
            input_size=facts["input_size"][-1],
        )


def _loaded(tag: str, source: str, where: str, *, gated: bool) -> Any:
    import timm

    if tag.startswith(FOLDER):
        config = Path(tag.removeprefix(FOLDER)) / "config.json"
        if not config.is_file():
            raise SourceBenchError(
                f"{where} is '{tag}', but there is no {config.absolute()}. Give the folder of a "
                "repository made with timm: its config.json and model.safetensors."
            )
    elif not tag.startswith(HUB) and not timm.is_model_pretrained(tag):
        raise SourceBenchError(
            f"timm {timm.__version__} knows no pretrained weights called '{tag}' ({where}); "
            "timm.list_models(pretrained=True) lists those it has."
        )
    try:
        return timm.create_model(tag, pretrained=True, num_classes=0)
    except OSError as error:
        repo = tag.removeprefix(HUB).partition("@")[0] if tag.startswith(HUB) else f"timm/{tag}"
        raise refusal(error, source, repo, gated=gated) from error
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SourceBenchError(
            f"timm {timm.__version__} can't load '{tag}' ({where}): {reason}. If it was not made "
            "with timm, give its file of weights as a source of kind 'hub' or 'file'."
        ) from error


def _network(model: Any, arch: str, tag: str, where: str) -> dict[str, Any] | None:
    """Return the exact network of the weights, None for the architecture's own."""
    name = model.pretrained_cfg["architecture"]
    own = network_of(arch).get("name", "")
    # The names of timm's variants of a network begin with the network's.
    if name != own and not name.startswith(arch):
        raise SourceBenchError(
            f"{where} is '{tag}', the weights of a '{name}', which is no '{arch}'. Give the "
            f"tag of a {own}, or list it under the architecture it belongs to."
        )
    options = {k: v for k, v in model._model_args.items() if k not in NOT_OF_THE_NETWORK}
    if name == own and not options:
        return None
    return {"builder": "timm", "name": name, **options}
