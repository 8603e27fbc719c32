"""Bearer token for what changes something: asked for when a token is set, otherwise everybody on this host may."""

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Header, HTTPException, status


def token_guard(token: str | None) -> Callable[[str | None], None]:
    """Return a FastAPI dependency that answers 401 unless the request carries `Authorization: Bearer <token>`.

    With `token` None every request passes: services listen on the loopback address only.
    """

    def check(authorization: Annotated[str | None, Header()] = None) -> None:
        if token is None:
            return
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), token.encode()):
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED,
                "give the service's token: Authorization: Bearer <token>",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return check
