"""The page and its one endpoint, on the loopback interface."""

import socket
from collections.abc import Callable
from importlib import resources
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from infra.contracts.errors import EnvironmentFailed
from simulation.live.running import Look, RunningPopulation

_HOST = "127.0.0.1"


def create_app(running: RunningPopulation) -> FastAPI:
    """`/` is the page, `/state` the newest look as JSON (empty before the first)."""
    app = FastAPI(title="Calmverse: a look inside", docs_url=None, redoc_url=None, openapi_url=None)
    page = resources.files("simulation.live").joinpath("page.html").read_text(encoding="utf-8")

    @app.get("/", response_class=HTMLResponse)
    def show() -> str:
        return page

    @app.get("/state")
    def state() -> dict[str, Any]:
        return running.latest

    return app


def serve(look: Look, port: int, tell: Callable[[str], None]) -> None:
    """Run the population and serve its page until Ctrl-C; raises EnvironmentFailed where the port is taken."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
        except OSError as problem:
            raise EnvironmentFailed(
                f"port {port} cannot be opened ({problem.strerror}): give another with --port, or 0 for a free one"
            ) from problem
        running = RunningPopulation(look)
        running.start()
        tell(f"http://{_HOST}:{listener.getsockname()[1]}/ (Ctrl-C ends it)")
        try:
            uvicorn.Server(uvicorn.Config(create_app(running), log_level="error", ws="none")).run(sockets=[listener])
        finally:
            running.stop()
