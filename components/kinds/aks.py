"""Kind `aks`: Azure's Kubernetes service, in a resource group of its own."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.kinds.cloud import CloudSettings, on_demand
from components.kinds.kind import Kind

Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", to_lower=True)]


class AksSettings(CloudSettings):
    """AKS; credentials as `az login` leaves them, and kubelogin is on PATH."""

    ZONE: ClassVar[re.Pattern[str]] = re.compile(r"(?P<region>[a-z][a-z0-9]+)-(?P<number>[1-9])")
    EXAMPLE: ClassVar[str] = "westeurope-1, as the nodes' label has it"

    kind: Literal["aks"]
    subscription: Uuid
    """Subscription of Azure."""
    admin_groups: Annotated[tuple[Uuid, ...], Field(min_length=1)]
    """Entra groups whose members administer the cluster; be in one of them. There are no local accounts."""
    login: Literal["azurecli", "spn", "msi", "workloadidentity"] = "azurecli"
    """How kubelogin logs in to the cluster."""
    machine: str = "Standard_D4s_v5"
    system_machine: str = "Standard_D2s_v5"
    tier: Literal["Free", "Standard", "Premium"] = "Standard"
    """Tier of the control plane; Free has no promise of availability."""
    volume_type: Literal["Premium_LRS", "PremiumV2_LRS", "StandardSSD_LRS"] = "Premium_LRS"
    """Disks of Kafka's volumes, in one zone each."""
    host_encryption: bool = False
    """Whether the nodes' caches and own disks are encrypted at the host too; the subscription must have the feature
    EncryptionAtHost. Volumes are always encrypted.
    """
    subnet: str | None = None
    """Id of a subnet of yours; else AKS makes a network."""

    @field_validator("api_ranges")
    @classmethod
    def _either(cls, ranges: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if ranges and info.data.get("private_api"):
            raise ValueError("none is taken for a private API: on AKS, all that is in its network reaches it")
        return ranges


def zone_number(zone: str) -> str:
    """A zone as Azure's API has it."""
    return zone.rpartition("-")[2]


KIND = Kind(AksSettings, on_demand("aks", "pulumi_azure"))
