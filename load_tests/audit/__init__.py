"""What was emitted, scored, decided, applied, archived and dead-lettered, proved sequence by sequence.

The audit shares no code with the services and lanes that it audits: it reads Kafka records, or the Parquet lake, with
pyarrow and Polars, and knows of the system only what the contracts say. `evidence` is what there is to look at, by
record and by row; `accounts` looks at records, `sequences` at rows; `auditing` puts it together.
"""
