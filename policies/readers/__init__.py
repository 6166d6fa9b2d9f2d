"""Readers: a module for each way of deploying Kafka."""
