"""The one place that imports the Kafka client library.

While it loads it uses a deprecated call of the standard library, and a warning is an error for us.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import KafkaAdminClient
    from kafka.consumer.fetcher import ConsumerRecord
    from kafka.errors import KafkaError, OffsetOutOfRangeError
    from kafka.structs import OffsetAndMetadata

__all__ = [
    "ConsumerRecord",
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaError",
    "KafkaProducer",
    "OffsetAndMetadata",
    "OffsetOutOfRangeError",
    "TopicPartition",
]
