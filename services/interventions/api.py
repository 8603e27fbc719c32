"""HTTP of interventions: a person's decisions, for who may see them; and the policy, to see and to exchange."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query, status
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field

from infra.contracts.errors import BadInput
from infra.hosting.auth import token_guard
from models.policies import catalog
from models.policies.points import parameters_of, policy_id
from services.interventions.domain import Access, PolicyChange, access, person_token, policy_at
from services.interventions.store import DecisionStore

_LARGEST_PERSON = 2**64 - 1
Person = Annotated[int, PathParameter(ge=0, le=_LARGEST_PERSON, description="Pseudonym, decimal")]
Authorization = Annotated[str | None, Header()]


class PolicyOrder(BaseModel):
    """A policy to put in force."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100)
    parameters: dict[str, float] = Field(default_factory=dict)


def create_router(store: DecisionStore, token: str | None) -> APIRouter:
    """Return the routes of interventions; `token` is the service's, which opens everything."""
    router = APIRouter(tags=["interventions"])
    _add_people(router, store, token)
    _add_policy(router, store, token)
    return router


def _add_people(router: APIRouter, store: DecisionStore, token: str | None) -> None:
    @router.get("/people/{person}/decisions")
    def decisions(
        person: Person,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
        authorization: Authorization = None,
    ) -> dict[str, Any]:
        """A person's last decisions, newest first. 401 without a token, 403 with another person's, 404 for nobody."""
        _require_access(token, authorization, person)
        found = store.decisions(person, limit)
        if not found:
            raise HTTPException(status.HTTP_404_NOT_FOUND, f"no decision was taken about person {person}")
        return {"person": str(person), "decisions": found}

    @router.get("/people/{person}/token", dependencies=[Depends(token_guard(token))])
    def token_of(person: Person) -> dict[str, str]:
        """The token that opens this person's record and no other. 404 where the service asks for no token."""
        if token is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "this service runs without a token: records are open")
        return {"person": str(person), "token": person_token(token, person)}


def _add_policy(router: APIRouter, store: DecisionStore, token: str | None) -> None:
    @router.get("/policy")
    def policy() -> dict[str, Any]:
        """The policy in force, every change with the tick it took effect at, and the policies there are."""
        timeline = store.timeline()
        begun = store.begun()
        now = policy_at(timeline, timeline[0].from_tick if begun is None else begun)
        return {
            "in_force": _shown(now),
            "changes": [_shown(change) for change in timeline],
            "known": catalog.describe(),
        }

    @router.put("/policy", dependencies=[Depends(token_guard(token))])
    def exchange(order: PolicyOrder) -> dict[str, Any]:
        """Put a policy in force from the next tick on. 422 for an unknown policy or parameter, with the known ones."""
        try:
            made = catalog.create(order.name, order.parameters)
        except BadInput as error:
            detail = {"message": str(error), "known": list(catalog.discover())}
            raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, detail) from error
        return _shown(store.change(made.name, parameters_of(made)))


def _require_access(secret: str | None, authorization: str | None, person: int) -> None:
    scheme, _, token = (authorization or "").partition(" ")
    answer = access(secret, token if scheme.lower() == "bearer" else None, person)
    if answer is Access.UNKNOWN:
        raise HTTPException(
            status.HTTP_401_UNAUTHORIZED,
            "give a token that opens this record: Authorization: Bearer <token>",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if answer is Access.OTHER_PERSON:
        raise HTTPException(status.HTTP_403_FORBIDDEN, "this token opens another person's record")


def _shown(change: PolicyChange) -> dict[str, Any]:
    return {
        "from_tick": change.from_tick,
        "policy_id": policy_id(catalog.create(change.name, change.parameters)),
        "name": change.name,
        "parameters": dict(change.parameters),
    }
