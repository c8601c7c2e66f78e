"""Run as a separate process: print the seconds from the start of the imports to the first answer, as JSON.

Arguments: a recording, the provider, and the models' folder unless it is the shipped one.
"""

import json
import sys
from time import perf_counter


def main(recording: str, provider: str, models: str | None = None) -> None:
    """Print the seconds of each step."""
    start = perf_counter()
    from ecg_edge.detector import Detector
    from ecg_edge.readers import read_recording

    imported = perf_counter()
    detector = Detector(models, provider=provider)
    loaded = perf_counter()
    detector.detect(read_recording(recording))
    answered = perf_counter()
    steps = {"imports": imported - start, "session": loaded - imported, "first answer": answered - loaded}
    sys.stdout.write(json.dumps(steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
