"""Recordings: leads, units, sampling rates, and where their samples lie."""

from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import RecordFile
from ecg_edge.recording.recording import Recording, Samples

__all__ = ["LEADS", "RecordFile", "Recording", "Samples"]
