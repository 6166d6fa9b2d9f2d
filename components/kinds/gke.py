"""Kind `gke`: Google's Kubernetes service, a regional cluster with private nodes."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from components.kinds.cloud import CloudSettings, Range, on_demand
from components.kinds.kind import Kind
from components.settings_model import DnsLabel, SettingsModel

_HYPERDISK = "hyperdisk-balanced"


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
    volume_type: Annotated[Literal["pd-ssd", "pd-balanced", "hyperdisk-balanced"], Field(validate_default=True)] = (
        "pd-ssd"
    )
    """Disks of Kafka's volumes; the machine families n4 and c4 take hyperdisk-balanced alone."""
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """Channel whose patches GKE installs by itself."""
    network: Range = "10.0.0.0/20"
    """Range of the subnetwork that is made."""
    own_network: GkeNetwork | None = None
    """Network of yours, with Cloud NAT; then none is made."""

    @field_validator("volume_type")
    @classmethod
    def _can_be_attached(cls, volume_type: str, info: ValidationInfo) -> str:
        machine = info.data.get("machine", "")
        if takes_hyperdisk_alone(machine) and volume_type != _HYPERDISK:
            raise ValueError(f"{machine} takes {_HYPERDISK} alone")
        return volume_type


def takes_hyperdisk_alone(machine: str) -> bool:
    """Whether a machine type boots from, and attaches, no other disks: n4, n4d, c4, c4a, c4d."""
    return machine.startswith(("n4", "c4"))


KIND = Kind(GkeSettings, on_demand("gke", "pulumi_gcp"))
