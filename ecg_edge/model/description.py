"""What stands beside a model file as `NAME.json`, for programs that cannot read the metadata of ONNX."""

import json
from dataclasses import asdict
from typing import Any

from ecg_edge.model.spec import ModelSpec

INPUT = "ecg"


def describe_model(metadata: str) -> dict[str, Any]:
    """Return what the metadata of a model say, and the names of its input and of the output that is averaged.

    Keys that this version does not know are kept. What is not a number becomes null: JSON has no word for it.

    Args:
        metadata: JSON text of the spec, as the model holds it.

    Raises:
        ValueError: The text is not a spec.
    """
    spec = ModelSpec.from_json(metadata)
    stated: dict[str, Any] = json.loads(metadata, parse_constant=lambda _: None)
    # Written and read once, so that the result equals what is read from the file.
    defaults = json.loads(json.dumps(asdict(spec)), parse_constant=lambda _: None)
    description: dict[str, Any] = defaults | stated
    return description | {"input": INPUT, "output": f"window_{spec.average}"}
