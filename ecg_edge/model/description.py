"""What stands beside a model file as `NAME.json`, for programs that cannot read the metadata of ONNX."""

import json
from typing import Any

from ecg_edge.model.spec import ModelSpec

INPUT = "ecg"


def describe_model(metadata: str) -> dict[str, Any]:
    """Return what the metadata of a model say, and the names of its input and of the output that is averaged.

    All keys are carried, also those that this version does not know. NaN and infinity become null: JSON has
    neither.

    Args:
        metadata: JSON text of the spec, as the model holds it.

    Raises:
        ValueError: The text is not a spec.
    """
    spec = ModelSpec.from_json(metadata)
    stated: dict[str, Any] = json.loads(metadata, parse_constant=lambda _: None)
    return stated | {"input": INPUT, "output": f"window_{spec.average}"}
