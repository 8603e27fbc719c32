"""The HTTP face that all services share: /healthz, /readyz, /metrics, OpenAPI, and one shape for errors."""

import os
import time
from collections.abc import Callable
from importlib.metadata import version

from fastapi import APIRouter, FastAPI, Response, status
from fastapi.responses import PlainTextResponse

from infra.hosting.problems import answer_with_problems
from infra.hosting.service import Service
from infra.telemetry.setup import Telemetry


def create_app(service: Service, telemetry: Telemetry, alive: Callable[[], bool]) -> FastAPI:
    """Return the application of `service`. `alive` tells whether its loop still runs."""
    app = FastAPI(
        title=f"calmverse {telemetry.service}",
        version=version("calmverse"),
        description=service.description,
    )
    app.include_router(_common(service, telemetry, alive), tags=["host"])
    for router in service.routers:
        app.include_router(router)
    answer_with_problems(app)
    return app


def _common(service: Service, telemetry: Telemetry, alive: Callable[[], bool]) -> APIRouter:
    router = APIRouter()
    started = time.monotonic()

    @router.get("/healthz")
    def healthz(response: Response) -> dict[str, object]:
        """Is the process working; with its counts. 503 once the loop has ended."""
        working = alive()
        response.status_code = status.HTTP_200_OK if working else status.HTTP_503_SERVICE_UNAVAILABLE
        counts = telemetry.span_counts
        return {
            "service": telemetry.service,
            "status": "ok" if working else "failed",
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - started, 3),
            "spans": {"written": counts.written, "dropped": counts.dropped, "unsent": counts.unsent},
            **service.health(),
        }

    @router.get("/readyz")
    def readyz(response: Response) -> dict[str, bool]:
        """Is it able to take work now; 503 when it is not."""
        ready = alive() and service.ready()
        response.status_code = status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE
        return {"ready": ready}

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> PlainTextResponse:
        """Metrics in Prometheus' text format."""
        return PlainTextResponse(telemetry.measures.prometheus_text(), media_type="text/plain; version=0.0.4")

    return router
