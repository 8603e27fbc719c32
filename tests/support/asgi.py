"""HTTP against routes in this process, without a server or a socket."""

import asyncio

import httpx
from fastapi import APIRouter, FastAPI


class Web:
    """A client of one router."""

    def __init__(self, router: APIRouter) -> None:
        self._app = FastAPI()
        self._app.include_router(router)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._ask(httpx.Request("GET", f"http://test{path}", headers=headers))

    def post(self, path: str, json: object) -> httpx.Response:
        return self._ask(httpx.Request("POST", f"http://test{path}", json=json))

    def put(self, path: str, json: object, headers: dict[str, str] | None = None) -> httpx.Response:
        return self._ask(httpx.Request("PUT", f"http://test{path}", headers=headers, json=json))

    def _ask(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self._app)) as client:
                return await client.send(request)

        return asyncio.run(ask())
