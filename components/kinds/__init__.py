"""The kinds of clusters. A new one is a file with its settings and `connect`, and a row here."""

from typing import Any

from components.kinds import aks, eks, existing, gke, k3d, kwok
from components.kinds.kind import ClusterSettings, Connection, Kind

KINDS: dict[str, Kind[Any]] = {
    "kwok": kwok.KIND,
    "k3d": k3d.KIND,
    "existing": existing.KIND,
    "eks": eks.KIND,
    "gke": gke.KIND,
    "aks": aks.KIND,
}
"""The kinds by the name that a stack's file gives; a program adds its own."""

__all__ = ["KINDS", "ClusterSettings", "Connection", "Kind"]
