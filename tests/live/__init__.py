"""Tests on a real k3d and a real Kafka: `make live`."""
