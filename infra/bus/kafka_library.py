"""The one place that imports the Kafka client library.

While it loads it uses a deprecated call of the standard library, and a warning is an error for us.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import KafkaAdminClient
    from kafka.admin import UserScramCredentialUpsertion as ScramUpsertion
    from kafka.consumer.fetcher import ConsumerRecord
    from kafka.errors import (
        ClusterAuthorizationFailedError,
        KafkaError,
        KafkaTimeoutError,
        OffsetOutOfRangeError,
        SaslAuthenticationFailedError,
        TopicAlreadyExistsError,
        TopicAuthorizationFailedError,
    )
    from kafka.structs import OffsetAndMetadata

__all__ = [
    "ClusterAuthorizationFailedError",
    "ConsumerRecord",
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaError",
    "KafkaProducer",
    "KafkaTimeoutError",
    "OffsetAndMetadata",
    "OffsetOutOfRangeError",
    "SaslAuthenticationFailedError",
    "ScramUpsertion",
    "TopicAlreadyExistsError",
    "TopicAuthorizationFailedError",
    "TopicPartition",
]
