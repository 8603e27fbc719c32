"""HTTP of a watched population: the page, what is new since a tick, and its pace. Loopback only."""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from infra.pages import style_sheet
from infra.pages.palette import WORLDS
from services.experiments.watch.population import Pace, WatchedPopulation

_HERE = Path(__file__).parent


class PaceChange(BaseModel):
    """A pace that somebody asks for: simulated minutes a second, 0 to pause, null for as fast as it goes."""

    model_config = ConfigDict(extra="forbid")

    minutes_per_second: float | None = Field(ge=0, le=10_000)


def create_router(watched: WatchedPopulation, title: str, command: str) -> APIRouter:
    """Return the routes that show `watched`; `command` is what was typed, for the page."""
    router = APIRouter()

    @router.get("/", response_class=HTMLResponse)
    def page() -> str:
        """The page; it asks for the rest."""
        return render(title, command)

    @router.get("/looks")
    def looks(since: int = Query(default=-1, description="Only looks after this tick")) -> dict[str, Any]:
        """What was seen after a tick."""
        return watched.since(since)

    @router.post("/pace")
    def pace(change: PaceChange) -> PaceChange:
        """Run at another pace."""
        watched.change(Pace(minutes_per_second=change.minutes_per_second))
        return change

    @router.get("/healthz")
    def healthz() -> dict[str, bool]:
        """Whether the population lives."""
        return {"ok": watched.failure is None}

    return router


def render(title: str, command: str) -> str:
    """The page as HTML, its styles and its script inside."""
    worlds = [(name, colour.css) for name, colour in WORLDS.items() if name != "none"]
    return _template().render(
        title=title,
        command=command,
        worlds=worlds,
        style=Markup(style_sheet() + (_HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 our own files
        script=Markup((_HERE / "page.js").read_text(encoding="utf-8")),  # noqa: S704 as above
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html")
