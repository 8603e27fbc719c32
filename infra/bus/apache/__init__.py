"""Apache Kafka as processes of ours: fetched once through Maven, one or three nodes, data on disk."""
