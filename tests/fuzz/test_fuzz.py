"""A few seconds of what `python -m tests.fuzz --minutes N` does for long."""

import pytest
from fuzz.harness import read_one, run_one
from fuzz.strategies import command_lines, declarations, files, seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("pydicom", "3.0")
pytest.importorskip("ecgdatakit", "2.0")
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("suffix", sorted(seeds()))
@settings(QUICK, max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(suffix, data):
    read_one(suffix, data.draw(files(suffix)), data.draw(declarations))


@settings(QUICK, max_examples=60)
@given(command_lines())
def test_any_command_line_ends_without_a_traceback(words):
    run_one(*words)
