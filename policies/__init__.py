"""Policies: what makes a Kafka deployment unsafe, judged before it is deployed."""
