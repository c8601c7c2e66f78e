"""What the routes share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anyio import CapacityLimiter
from starlette.requests import HTTPConnection

from ecg_edge.web.access import Access
from ecg_edge.web.bodies import Budget
from ecg_edge.web.database import Database
from ecg_edge.web.metrics import Metrics
from ecg_edge.web.pictures import Pictures
from ecg_edge.web.settings import Settings
from ecg_edge.web.supervisor import Supervisor

if TYPE_CHECKING:
    from ecg_edge.detector import Detector


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a server."""

    settings: Settings
    database: Database
    detector: "Detector"
    """Answers live feeds; the worker has another one."""
    supervisor: Supervisor
    pictures: Pictures
    access: Access
    metrics: Metrics
    budget: Budget
    """Of the bodies of uploads."""
    intake: CapacityLimiter
    """How many uploads are read at a time."""
    drawing: CapacityLimiter
    """How many records are drawn at a time."""
    live: CapacityLimiter
    """How many threads answer live feeds."""


def services_of(request: HTTPConnection) -> Services:
    """Return the parts of the server that a request came to."""
    services: Services = request.app.state.services
    return services
