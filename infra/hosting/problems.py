"""Errors over HTTP as problem details (RFC 9457): one shape for all services, `application/problem+json`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from infra.contracts.errors import BadInput, CalmverseError

PROBLEM_JSON: Final = "application/problem+json"


class Problem(BaseModel):
    """Problem details of RFC 9457; `type` is "about:blank", so `title` is the phrase of the status."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str = Field(description="The phrase of the status code")
    status: int = Field(description="The status code, again")
    detail: str = Field(description="What was wrong, and what to do")


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object) -> JSONResponse:
    """Return a problem as a response; `members` are its extension members (RFC 9457, section 3.2)."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail).model_dump() | members
    return JSONResponse(body, status, dict(headers or {}), media_type=PROBLEM_JSON)


def describe(meaning: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the OpenAPI response of a status that is answered with a problem; `headers` are names and meanings."""
    described: dict[str, Any] = {
        "description": meaning,
        "content": {PROBLEM_JSON: {"schema": Problem.model_json_schema()}},
    }
    if headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        }
    return described


def answer_with_problems(app: FastAPI) -> None:
    """Have every error that the application raises answered as a problem."""
    app.add_exception_handler(CalmverseError, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)


async def _known(_request: Request, error: Exception) -> JSONResponse:
    """400 for what the caller can mend, 503 for what they cannot."""
    return problem(400 if isinstance(error, BadInput) else 503, str(error))


async def _http(_request: Request, error: Exception) -> JSONResponse:
    """A detail that is a mapping (FastAPI allows it) has its text in `message`; the rest become extension members."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it was registered for
    detail: object = error.detail
    members = {str(name): value for name, value in detail.items()} if isinstance(detail, dict) else {"message": detail}
    return problem(error.status_code, str(members.pop("message", "")), headers=error.headers, **members)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    wrong = [{"at": ".".join(map(str, each["loc"])), "reason": each["msg"]} for each in error.errors()]
    detail = "; ".join(f"{each['at']}: {each['reason']}" for each in wrong)
    return problem(422, detail, errors=wrong)
