"""HTTP of the archiver: what is on disk, and "put it there now"."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, status
from pydantic import BaseModel, ConfigDict, Field

from infra.hosting.auth import token_guard
from services.archiver.consumer import ArchiveLoop
from services.archiver.domain import parse_offsets
from services.archiver.handlers import Archive

MAX_WAIT_SECONDS: Final = 120.0


class FlushOrder(BaseModel):
    """Up to where the lake has to be complete, and how long that may take."""

    model_config = ConfigDict(extra="forbid")

    offsets: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description='Next offset by "<topic>/<partition>"; without any, what was read so far',
    )
    timeout_s: float = Field(default=30.0, gt=0, le=MAX_WAIT_SECONDS)


def create_router(archive: Archive, loop: ArchiveLoop, token: str | None) -> APIRouter:
    """Return the routes of the archiver."""
    router = APIRouter(tags=["archiver"])

    @router.post("/flush", dependencies=[Depends(token_guard(token))])
    def flush(order: FlushOrder) -> dict[str, Any]:
        """Wait until everything before the given offsets is on disk; answer with the counts, or 504."""
        offsets = parse_offsets(order.offsets, archive.positions())
        if not loop.flush(offsets, order.timeout_s):
            raise HTTPException(
                status.HTTP_504_GATEWAY_TIMEOUT,
                f"not everything was there within {order.timeout_s:.0f} s: compare next_offsets in GET /counts",
            )
        return archive.counts()

    @router.get("/counts")
    def counts() -> dict[str, Any]:
        """By stream: rows on disk and pending, files, repeats dropped, undecodable records, next offsets."""
        return archive.counts()

    return router
