"""Run as a separate process: print the seconds and the allocated memory of one recording, both stages, as JSON.

Arguments: the recording, the provider, maximum samples, maximum seconds, and the models' folder unless it is the
shipped one.
"""

import json
import sys

from ecg_edge.bench.memory import AllocatedPeak
from ecg_edge.bench.timing import Effort, list_wall_times, repeat_call
from ecg_edge.detector import Detector
from ecg_edge.readers import read_recording
from ecg_edge.recording import Recording

_WARM_UP = 30_000  # samples, a minute
_MORE_IF_SHORT = 20


def main(path: str, provider: str, repeat: str, seconds: str, models: str | None = None) -> None:
    """Measure and print."""
    detector = Detector(models, provider=provider)
    recording = read_recording(path)
    start = Recording(recording.stretch(0, _WARM_UP))
    for _ in range(3):
        detector.detect(start, all_sites=True)
    many = _MORE_IF_SHORT if recording.samples <= _WARM_UP else 1
    with AllocatedPeak() as peak:
        effort = Effort(many * int(repeat), float(seconds))
        costs = repeat_call(lambda: detector.detect(recording, all_sites=True), effort)
    sys.stdout.write(json.dumps({"seconds": list_wall_times(costs), "allocated_mib": peak.mib}))


if __name__ == "__main__":
    main(*sys.argv[1:])
