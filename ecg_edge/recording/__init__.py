"""Recordings: leads, units, sampling rates and the source of their samples."""

from ecg_edge.recording.leads import LEADS
from ecg_edge.recording.record_file import RecordFile
from ecg_edge.recording.recording import Recording, Samples

__all__ = ["LEADS", "RecordFile", "Recording", "Samples"]
