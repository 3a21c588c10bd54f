"""Weights that timm publishes, on the Hugging Face hub."""

import os
from typing import Any, ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import (
    KINDS,
    STRING,
    Kind,
    Normalisation,
    Order,
    Schema,
    Specification,
    Supply,
    triple,
)


class Timm(Kind):
    """timm's pretrained weights, by tag: `{kind: timm, tags: {resnet50: resnet50.tv_in1k}}`.

    Tags are always named: timm's plain names stand for its newest recipe, which may fine-tune
    quite differently from the plain training behind the paper's weights.
    """

    properties: ClassVar[Schema] = {
        "tags": {"type": "object", "minProperties": 1, "additionalProperties": STRING}
    }
    required = ("tags",)

    def archs(self, spec: Specification) -> tuple[str, ...] | None:
        """Return the architectures that have a tag."""
        return tuple(spec["tags"])

    def supply(self, order: Order) -> Supply:
        """Return the weights of a tag, downloaded or from the hub's cache, with their constants.

        Raises:
            SourceBenchError: the tag is unknown to timm, or neither the hub nor its cache has it.
        """
        import timm

        tag = order.spec["tags"][order.arch]
        if not timm.is_model_pretrained(tag):
            raise SourceBenchError(
                f"timm {timm.__version__} knows no pretrained weights called '{tag}' "
                f"(sources.{order.name}.tags.{order.arch}); "
                "timm.list_models(pretrained=True) lists those it has."
            )
        try:
            model: Any = timm.create_model(tag, pretrained=True, num_classes=0)
        except OSError as error:
            home = os.environ.get("HF_HOME", "~/.cache/huggingface")
            raise SourceBenchError(
                f"The weights '{tag}' of source '{order.name}' could not be fetched from "
                f"huggingface.co (timm/{tag}) and are not in the cache {home} "
                f"({type(error).__name__}). Connect to the network once, or point HF_HOME to a "
                "cache that has them and set HF_HUB_OFFLINE=1."
            ) from error
        facts: dict[str, Any] = model.pretrained_cfg
        place = facts.get("file") or facts.get("hf_hub_id") or facts.get("url")
        return Supply(
            tensors=model.state_dict(),
            normalisation=Normalisation(triple(facts["mean"]), triple(facts["std"])),
            origin={"tag": tag, "from": place, "timm": timm.__version__},
            licence=facts.get("license"),
            citation=order.spec.get("citation"),
        )


KINDS.register("timm")(Timm())
