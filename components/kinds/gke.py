"""Kind `gke`: Google's Kubernetes service, a regional cluster with private nodes."""

import re
from typing import ClassVar, Literal

from components.kinds.cloud import CloudSettings, Range, on_demand
from components.kinds.kind import Kind
from components.settings_model import DnsLabel, SettingsModel


class GkeNetwork(SettingsModel):
    """A network that is there."""

    network: str
    """As projects/PROJECT/global/networks/NAME."""
    subnetwork: str
    """As projects/PROJECT/regions/REGION/subnetworks/NAME."""


class GkeSettings(CloudSettings):
    """GKE; credentials are the application default ones of gcloud."""

    ZONE: ClassVar[re.Pattern[str]] = re.compile(r"(?P<region>[a-z]+-[a-z]+\d+)-[a-z]")
    EXAMPLE: ClassVar[str] = "europe-west1-b"

    kind: Literal["gke"]
    project: DnsLabel
    """Project of Google Cloud."""
    machine: str = "n2-standard-4"
    system_machine: str = "e2-standard-2"
    volume_type: Literal["pd-ssd", "pd-balanced", "hyperdisk-balanced"] = "pd-ssd"
    """Disks of Kafka's volumes; newer machine types take hyperdisk-balanced alone."""
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """Channel whose patches GKE installs by itself."""
    network: Range = "10.0.0.0/20"
    """Range of the subnetwork that is made."""
    own_network: GkeNetwork | None = None
    """Network of yours, with Cloud NAT; then none is made."""


KIND = Kind(GkeSettings, on_demand("gke", "pulumi_gcp"))
