"""Inputs that several tests use."""

from __future__ import annotations

from typing import Any

LABELS = {"app": "kafka"}


def statefulset(namespace: str, replicas: int = 3, **changes: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": LABELS},
        "spec": {
            "containers": [
                {
                    "name": "kafka",
                    "image": "apache/kafka:4.3.1",
                    "resources": {"requests": {"cpu": changes.pop("cpu", "100m")}},
                    "env": changes.pop("env", []),
                }
            ],
            "hostNetwork": False,
        },
    }
    return {
        "metadata": {"name": "kafka", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "serviceName": "kafka-svc",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": LABELS},
            "template": template,
            **changes,
        },
    }


def service(namespace: str, **changes: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "kafka-svc", "namespace": namespace},
        "spec": {"selector": LABELS, "ports": [{"name": "kafka", "port": 9092}], **changes},
    }


def pod(namespace: str, **changes: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "main", "image": "busybox"}], **changes}
    return {"metadata": {"namespace": namespace}, "spec": spec}
