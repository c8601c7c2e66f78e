"""The JSON objects of the interface, for its description in OpenAPI."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from ecg_edge.web.wording import Kind

Status = Literal["pending", "done", "failed"]
Outcome = Literal["infarction", "none", "cannot_analyse"]


class Problem(BaseModel):
    """An error (application/problem+json)."""

    type: str
    title: str
    status: int
    detail: str


class UploadedFile(BaseModel):
    """What became of a file, or of a bad recording in an archive."""

    name: str
    status: Literal["accepted", "refused"]
    kind: Kind | None = Field(None, description="Of the reason.")
    reason: str | None = None
    records: int | None = Field(None, description="Number of recordings that were accepted.")


class UploadAccepted(BaseModel):
    """An upload. Its accepted records are stored and will be analysed."""

    upload: str
    files: list[UploadedFile]


class UploadedRecord(BaseModel):
    """A record of an upload."""

    id: str
    name: str
    status: Status


class UploadProgress(BaseModel):
    """How far the records of an upload are."""

    id: str
    total: int
    done: int
    failed: int
    files: list[UploadedFile]
    records: list[UploadedRecord]


class Site(BaseModel):
    """A site of infarction."""

    name: str
    probability: float
    found: bool
    doubtful: bool = Field(description="Whether it is found and a warning calls it uncertain or unproven.")


class RecordSummary(BaseModel):
    """A record in the list."""

    id: str
    name: str
    status: Status
    reason: str | None = Field(description="Why there is no answer.")
    finding: Outcome | None
    probability: float | None = Field(description="Of infarction, 0 to 1.")
    threshold: float | None
    sites: list[Site]
    warnings: int = Field(description="Number of warnings.")
    received: str
    url: str
    trace_url: str


class RecordWithAnswer(RecordSummary):
    """A record with its answer."""

    answer: dict[str, Any] | None = Field(
        description="The object of `ecg-edge run --format json --windows`; null while the record is pending."
    )


class RecordPage(BaseModel):
    """A page of the list."""

    records: list[RecordSummary]
    page: int
    pages: int
    per_page: int
    total: int


class Samples(BaseModel):
    """Samples of all leads in millivolts; null where a sample is missing."""

    sampling_rate: float
    start: float = Field(description="Time of the first sample in seconds.")
    leads: dict[str, list[float | None]]


class Signal(BaseModel):
    """A recording as an array."""

    signal: list[list[float | None]] = Field(description="One list for each lead; null where a sample is missing.")
    sampling_rate: float = Field(gt=0, description="In Hz.")
    leads: list[str] = Field(description="Name of each list.")
    units: str = Field(description="mV, uV, nV or V.")
    name: str = "recording"


class Health(BaseModel):
    """Whether the server works."""

    status: Literal["ok"]


class ModelVersion(BaseModel):
    """A model."""

    name: str
    version: str
    sha256: str


class Version(BaseModel):
    """What answers."""

    ecg_edge: str
    provider: str
    models: list[ModelVersion]
    operating_point: str
