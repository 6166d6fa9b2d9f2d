"""Series of a real Kafka under the exporter's agent, recorded once, which the alerts' tests replay."""
