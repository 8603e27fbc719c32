"""Every error over HTTP is a problem of RFC 9457."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException

from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.hosting.problems import PROBLEM_JSON, answer_with_problems


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    answer_with_problems(app)

    @app.get("/mend")
    def mend() -> None:
        raise BadInput("give a number")

    @app.get("/wait")
    def wait() -> None:
        raise EnvironmentFailed("no broker")

    @app.get("/detailed")
    def detailed() -> None:
        raise HTTPException(409, {"message": "taken", "by": "b"}, {"Retry-After": "3"})

    @app.get("/number/{number}")
    def number(number: int) -> int:
        return number

    return app


def ask(app: FastAPI, path: str, method: str = "GET") -> httpx.Response:
    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.request(method, path)

    return asyncio.run(call())


@pytest.mark.parametrize(
    ("path", "status", "title", "detail"),
    [
        ("/mend", 400, "Bad Request", "give a number"),
        ("/wait", 503, "Service Unavailable", "no broker"),
        ("/nowhere", 404, "Not Found", "Not Found"),
        ("/detailed", 409, "Conflict", "taken"),
        ("/number/x", 422, "Unprocessable Entity", "path.number: Input should be a valid integer"),
    ],
)
def test_errors_are_problems(app: FastAPI, path: str, status: int, title: str, detail: str) -> None:
    reply = ask(app, path)
    document: dict[str, Any] = reply.json()
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, PROBLEM_JSON)
    assert (document["status"], document["title"], document["type"]) == (status, title, "about:blank")
    assert document["detail"].startswith(detail)


def test_members_and_headers_of_an_error_are_kept(app: FastAPI) -> None:
    reply = ask(app, "/detailed")
    assert (reply.json()["by"], reply.headers["Retry-After"]) == ("b", "3")
    assert ask(app, "/mend", "POST").headers["Allow"] == "GET"
