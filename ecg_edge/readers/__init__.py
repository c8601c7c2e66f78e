"""Read recordings from files. Each format has one module and is recognised by its content."""

from ecg_edge.readers.declared import Declared
from ecg_edge.readers.discovery import find_candidates, find_records, read_recording, read_stream
from ecg_edge.recording.record_file import PassedOver, RecordFile

__all__ = ["Declared", "PassedOver", "RecordFile", "find_candidates", "find_records", "read_recording", "read_stream"]
