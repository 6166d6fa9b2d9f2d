"""Components of a highly available Kafka on zoned Kubernetes: a zoned cluster, Kafka on it, and its topics."""
