"""Every span, attribute and metric name this system writes, and the only place where one is spelled.

Messaging names follow the OpenTelemetry semantic conventions for messaging as of 2026-08; they change in
semantic conventions v1.45, which is why nothing else may spell them. Names under `calm.` are ours.

A span is named "<operation> <stream>" ("send events", "process scores"): the stream and not the topic,
because a topic carries the run's namespace and a span name has to stay of low cardinality.
"""

from typing import Final

# ---- operations of the messaging conventions: (operation name, operation type) ----
SEND: Final = "send"
POLL: Final = "poll"
PROCESS: Final = "process"
COMMIT: Final = "commit"
OPERATION_TYPES: Final[dict[str, str]] = {
    SEND: "send",
    POLL: "receive",
    PROCESS: "process",
    COMMIT: "settle",
}

# ---- attributes: messaging conventions ----
MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_SYSTEM_KAFKA: Final = "kafka"
MESSAGING_OPERATION_NAME: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_DESTINATION_NAME: Final = "messaging.destination.name"
MESSAGING_DESTINATION_PARTITION_ID: Final = "messaging.destination.partition.id"  # a string by convention
MESSAGING_CONSUMER_GROUP_NAME: Final = "messaging.consumer.group.name"
MESSAGING_CLIENT_ID: Final = "messaging.client.id"
MESSAGING_BATCH_MESSAGE_COUNT: Final = "messaging.batch.message_count"
MESSAGING_KAFKA_OFFSET: Final = "messaging.kafka.offset"
ERROR_TYPE: Final = "error.type"

# ---- attributes: resource ----
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
PROCESS_PID: Final = "process.pid"

# ---- attributes: ours ----
CALM_TICK: Final = "calm.tick"  # number of the simulated minute
CALM_STREAM: Final = "calm.stream"  # stream name without the namespace
CALM_ROWS: Final = "calm.rows"  # records in the frame or batch
CALM_SOURCE: Final = "calm.source"  # CloudEvents source of a frame
CALM_PERSON: Final = "calm.person"  # pseudonym, decimal string (64 bits do not fit a signed attribute)
CALM_WORLD: Final = "calm.world"
CALM_COMMAND_ID: Final = "calm.command.id"  # decimal string, for the same reason
CALM_DECISION_ID: Final = "calm.decision.id"
CALM_PRACTICE: Final = "calm.practice"
CALM_POLICY_ID: Final = "calm.policy.id"
CALM_MODEL_VERSION: Final = "calm.model.version"
CALM_BATCH_SIZE: Final = "calm.batch.size"  # persons in one forward pass
CALM_RUN_ID: Final = "calm.run.id"
CALM_NAMESPACE: Final = "calm.namespace"

ATTRIBUTE_TYPES: Final[dict[str, type[int] | type[str]]] = {
    MESSAGING_SYSTEM: str,
    MESSAGING_OPERATION_NAME: str,
    MESSAGING_OPERATION_TYPE: str,
    MESSAGING_DESTINATION_NAME: str,
    MESSAGING_DESTINATION_PARTITION_ID: str,
    MESSAGING_CONSUMER_GROUP_NAME: str,
    MESSAGING_CLIENT_ID: str,
    MESSAGING_BATCH_MESSAGE_COUNT: int,
    MESSAGING_KAFKA_OFFSET: int,
    ERROR_TYPE: str,
    CALM_TICK: int,
    CALM_STREAM: str,
    CALM_ROWS: int,
    CALM_SOURCE: str,
    CALM_PERSON: str,
    CALM_WORLD: str,
    CALM_COMMAND_ID: str,
    CALM_DECISION_ID: str,
    CALM_PRACTICE: str,
    CALM_POLICY_ID: str,
    CALM_MODEL_VERSION: str,
    CALM_BATCH_SIZE: int,
    CALM_RUN_ID: str,
    CALM_NAMESPACE: str,
}
"""Attributes a span may carry, with their type. Each is a column of `spans.read_spans`."""

# ---- spans that are not messaging operations ----
APPLY_COMMAND: Final = "apply command"  # simulation: one offer takes effect; links to "send interventions"
STEP_TICK: Final = "step tick"  # simulation: one simulated minute for everybody
SCORE_TICK: Final = "score tick"  # monitor: the scorer over the events of one tick
FORWARD_CALL: Final = "forward call"  # monitor: client side of the Serve call
FORWARD: Final = "forward"  # Serve replica: the model's forward pass
DECIDE: Final = "decide"  # interventions: the policy over the scores of one tick
TRAIN: Final = "train"
DEPLOY: Final = "deploy"
FLUSH_LAKE: Final = "flush lake"  # archiver: one Parquet file
ACCEPT_EVENTS: Final = "accept events"  # gateway: one HTTP request


def span_name(operation: str, stream: str) -> str:
    """Return the name of a messaging span.

    `operation` is one of SEND, POLL, PROCESS, COMMIT; `stream` is a stream name such as "events". The result,
    for example "send events", is what `lineage` looks for.
    """
    return f"{operation} {stream}"


# ---- metrics: (unit in UCUM) ----
METRIC_FRAMES_SENT: Final = "calm.frames.sent"
METRIC_FRAMES_RECEIVED: Final = "calm.frames.received"
METRIC_ROWS_SENT: Final = "calm.rows.sent"
METRIC_ROWS_RECEIVED: Final = "calm.rows.received"
METRIC_DEAD_LETTERS: Final = "calm.dead_letters"
METRIC_TICK: Final = "calm.tick.released"
METRIC_TICK_SECONDS: Final = "calm.tick.duration"
METRIC_LATENCY: Final = "calm.latency"  # from intended_at
METRIC_EVENTS_ACCEPTED: Final = "calm.gateway.events.accepted"
METRIC_EVENTS_REPEATED: Final = "calm.gateway.events.repeated"
METRIC_EVENTS_REJECTED: Final = "calm.gateway.events.rejected"
METRIC_REQUESTS_REFUSED: Final = "calm.gateway.requests.refused"
METRIC_LAKE_ROWS: Final = "calm.lake.rows"
METRIC_LAKE_FILES: Final = "calm.lake.files"
METRIC_SPANS: Final = "calm.spans.written"
METRIC_SPANS_DROPPED: Final = "calm.spans.dropped"

METRIC_UNITS: Final[dict[str, str]] = {
    METRIC_FRAMES_SENT: "{frame}",
    METRIC_FRAMES_RECEIVED: "{frame}",
    METRIC_ROWS_SENT: "{row}",
    METRIC_ROWS_RECEIVED: "{row}",
    METRIC_DEAD_LETTERS: "{frame}",
    METRIC_TICK: "{tick}",
    METRIC_TICK_SECONDS: "s",
    METRIC_LATENCY: "s",
    METRIC_EVENTS_ACCEPTED: "{event}",
    METRIC_EVENTS_REPEATED: "{event}",
    METRIC_EVENTS_REJECTED: "{event}",
    METRIC_REQUESTS_REFUSED: "{request}",
    METRIC_LAKE_ROWS: "{row}",
    METRIC_LAKE_FILES: "{file}",
    METRIC_SPANS: "{span}",
    METRIC_SPANS_DROPPED: "{span}",
}
