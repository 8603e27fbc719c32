"""The forward pass on Ray Serve: deployed once, called once a tick with everyone who acted.

There is no HTTP proxy: callers hold a handle. The cluster asks for a token unless told otherwise, so a process that
connects needs `RAY_AUTH_MODE=token` in its environment and the token of the cluster (`RAY_AUTH_TOKEN`,
`RAY_AUTH_TOKEN_PATH`, or `~/.ray/auth_token`); a child of the process that started Ray inherits the former.

A forward pass has no state, so a call that fails because a replica died is simply made again, until `patience_s` is up.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import RayServeException

from infra.contracts.errors import CalmverseError, EnvironmentFailed
from models.serving.shapes import ModelCard, PaddedBatch, Scores

APP = "attention"
DEPLOYMENT = "Forward"

_QUIET = {"enable_access_log": False, "log_level": "WARNING"}
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """How the forward pass is put on the cluster. `spans_dir`: where replicas write their spans; None: nowhere."""

    app: str = APP
    replicas: int = 1
    cpus: float = 0.5  # logical: what Ray books, not what a replica takes
    threads: int = 2  # of a replica; moves no bit
    ongoing_requests: int = 4  # that a replica takes at once
    spans_dir: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a caller waits: for one answer, and in all while replicas are restarted. Seconds."""

    call_s: float = 30.0
    total_s: float = 90.0


class ServeForward:
    """`shapes.Forward` through a Serve handle."""

    def __init__(self, handle: Any, patience: Patience) -> None:  # noqa: ANN401  Ray's handles publish no types
        self._handle = handle
        self._patience = patience
        self._card: ModelCard = self._call(handle.card.remote)

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._card

    def __call__(self, batches: Sequence[PaddedBatch], traceparent: str | None = None) -> list[Scores]:
        """Probabilities (N, S, O) of each batch's last S tokens.

        Raises EnvironmentFailed when no replica answers in time, or when one answers with another model.
        """
        version, scores = self._call(lambda: self._handle.forward.remote(list(batches), traceparent))
        if version != self._card.version:
            raise EnvironmentFailed(
                f"the scores came from model {version}, this process was started for {self._card.version}: "
                "restart it to take over the new model"
            )
        return list(scores)

    def _call(self, start: Callable[[], Any]) -> Any:  # noqa: ANN401  whatever the replica's method answers
        """The answer of a call, made again with growing pauses while replicas come back."""
        deadline, pause_s = time.monotonic() + self._patience.total_s, _FIRST_PAUSE_S
        while True:
            try:
                return start().result(timeout_s=self._patience.call_s)
            except RayTaskError as error:
                cause = error.cause
                if isinstance(cause, CalmverseError):
                    raise cause from error
                raise EnvironmentFailed(f"the forward pass failed in its replica: {cause!r}") from error
            except (RayError, RayServeException, TimeoutError, ConnectionError) as error:
                if time.monotonic() + pause_s > deadline:
                    raise EnvironmentFailed(
                        f"no replica of the forward pass answered within {self._patience.total_s:.0f} s "
                        f"({type(error).__name__}): is Ray running, and is there memory for the model?"
                    ) from error
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def deploy(checkpoint_dir: Path, how: Deployment | None = None, patience: Patience | None = None) -> ServeForward:
    """Put a checkpoint's forward pass on the running cluster (`ray.init` was called) and wait until it answers.

    Replaces an application of the same name. Raises BadInput for a bad checkpoint, EnvironmentFailed when no replica
    starts.
    """
    # Both bring torch, which a process that only connects does without.
    from models.attention import checkpoint  # noqa: PLC0415
    from models.serving.replica import ForwardReplica  # noqa: PLC0415

    # A bad one is refused here, not in a replica that is started again and again.
    checkpoint.load(checkpoint_dir).model.config.check_streaming()
    how, patience = how or Deployment(), patience or Patience()
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    deployment: Any = serve.deployment(
        ForwardReplica,
        name=DEPLOYMENT,
        num_replicas=how.replicas,
        ray_actor_options={"num_cpus": how.cpus},
        max_ongoing_requests=how.ongoing_requests,
        logging_config=_QUIET,
    )
    spans = str(how.spans_dir.resolve()) if how.spans_dir else ""
    application = deployment.bind(str(checkpoint_dir.resolve()), spans, how.threads)
    try:
        serve.start(proxy_location="Disabled", logging_config=_QUIET)
        handle = serve.run(application, name=how.app, route_prefix=None)
    except RuntimeError as error:
        raise EnvironmentFailed(
            f"the forward pass of {checkpoint_dir} could not be deployed on Ray: {error}; is there memory for it?"
        ) from error
    return ServeForward(handle, patience)


def connect(address: str, app: str = APP, patience: Patience | None = None) -> ServeForward:
    """The deployed forward pass, from another process: joins the cluster at `address` if this process has not yet.

    Raises EnvironmentFailed where there is no cluster, no token, or no such application.
    """
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
        handle = serve.get_app_handle(app)
    except (ConnectionError, RuntimeError, RayError, RayServeException) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentFailed(
            f"cannot reach the application {app!r} on Ray at {address}: {first}; the process needs RAY_AUTH_MODE=token "
            "and the cluster's token where the cluster asks for one"
        ) from error
    return ServeForward(handle, patience or Patience())


def undeploy(app: str = APP) -> None:
    """Take the forward pass off the cluster; its replicas write the spans they still hold. Bounded by Serve (60 s)."""
    serve.delete(app)
