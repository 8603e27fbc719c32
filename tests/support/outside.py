"""A gateway on a broker, clients that flood it, and what of theirs stands in Kafka."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from infra.contracts.frames import Frame
from infra.contracts.topics import Topics
from services.gateway.domain import event_id_of
from tests.support.buses import read_all
from tests.support.hosted import HostedService, settings_for
from tests.unit.services.gateway.builders import cloud_event

TOPICS = Topics("test")
BATCHED = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
SOURCE = str(cloud_event()["source"])


def gateway_on(bootstrap: str, directory: Path, **config: object) -> HostedService:
    """A gateway process with its own configuration."""
    path = directory / "gateway.json"
    path.write_text(json.dumps(config))
    return HostedService(
        "services.gateway.main", replace(settings_for(directory, bootstrap), config_file=path, log_level="INFO")
    )


def stored_ids(bootstrap: str, *, by_frame: bool = False) -> Counter[int]:
    """How often each event id stands in the events topic; `by_frame` counts repeated frames once, as readers do."""
    found: Counter[int] = Counter()
    frames: set[str] = set()
    for received in read_all(bootstrap, TOPICS.events):
        assert isinstance(received.item, Frame)
        if not by_frame or received.item.frame_id not in frames:
            found.update(received.item.batch.column("event_id").to_pylist())
        frames.add(received.item.frame_id)
    return found


def ids_of(names: Iterable[str]) -> set[int]:
    """Event ids of CloudEvents ids."""
    return {event_id_of(SOURCE, name) for name in names}


def batch_of(client: int, request: int, events: int) -> tuple[list[str], bytes]:
    """CloudEvents ids and body of one request; its events are of as many people."""
    names = [f"{client}-{request}-{row}" for row in range(events)]
    body = [cloud_event(name, subject=str(person)) for person, name in enumerate(names)]
    return names, json.dumps(body).encode()


@dataclass
class Flood:
    """Clients that send batches as fast as they are answered; `patient` ones send a batch until it is acknowledged."""

    gateway: HostedService
    clients: int
    requests: int
    events: int
    patient: bool = False
    statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set, repr=False)
    bare: list[int] = field(default_factory=list)  # 429 and 503 without Retry-After
    broken: Counter[str] = field(default_factory=Counter)  # requests without an answer, by error
    started: float = 0.0
    took: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list, repr=False)

    def start(self) -> None:
        """Begin; the bodies are made before."""
        batches = [
            [batch_of(client, request, self.events) for request in range(self.requests)]
            for client in range(self.clients)
        ]
        self._threads = [threading.Thread(target=self._client, args=each) for each in enumerate(batches)]
        self.started = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float = 120.0) -> None:
        """Wait until every client has sent everything."""
        for thread in self._threads:
            thread.join(seconds)
            assert not thread.is_alive(), f"a client is still sending: {self.statuses}"
        self.took = time.monotonic() - self.started

    def has_acknowledged(self, requests: int) -> bool:
        """Whether so many requests were acknowledged."""
        return self.statuses[202] >= requests

    def _client(self, number: int, batches: list[tuple[list[str], bytes]]) -> None:
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "Content-Type": BATCHED}
        with httpx.Client(timeout=60.0, trust_env=False, headers=headers) as client:
            for names, body in batches:
                while not self._send(client, names, body) and self.patient:
                    pass

    def _send(self, client: httpx.Client, names: list[str], body: bytes) -> bool:
        try:
            reply = client.post(self.gateway.url("/events"), content=body)
        except (httpx.TransportError, AssertionError) as problem:  # it is not there: killed, and started again
            with self._lock:
                self.broken[repr(problem)] += 1
            return False
        with self._lock:
            self.statuses[reply.status_code] += 1
            if reply.status_code in (429, 503) and "Retry-After" not in reply.headers:
                self.bare.append(reply.status_code)
            if reply.status_code == 202:
                self.acknowledged.update(names)
        return reply.status_code == 202
