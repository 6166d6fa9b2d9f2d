"""What is watched of a running Kafka: the exporter's rules, alerts, dashboard, and their manifests. Pure."""
