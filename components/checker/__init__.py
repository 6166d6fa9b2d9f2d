"""What runs in each Kafka pod beside Kafka, from a ConfigMap: `prepare` before it, the checker as a sidecar.

The standard library only, and little of it: at rest the checker takes less than 20 MiB. Imports within the package are
relative, so that it runs wherever it is mounted.
"""
