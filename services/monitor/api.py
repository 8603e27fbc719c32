"""HTTP of the monitor: how scoring goes."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from services.monitor.consumer import MonitorLoop


def create_router(loop: MonitorLoop) -> APIRouter:
    """Return the routes of the monitor."""
    router = APIRouter(tags=["monitor"])

    @router.get("/status")
    def status() -> dict[str, Any]:
        """Last tick, people with state, model version, events scored, and records not worked on yet (lag)."""
        return {**asdict(loop.status()), "lag": loop.lag()}

    return router
