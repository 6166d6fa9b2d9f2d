"""Kind `eks`: Amazon's Kubernetes service, with a network of its own or in yours."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from components.kinds.cloud import CloudSettings, Range, on_demand
from components.kinds.kind import Kind
from components.settings_model import DnsLabel


class EksSettings(CloudSettings):
    """EKS; credentials as the AWS CLI has them."""

    ZONE: ClassVar[re.Pattern[str]] = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)[a-z]")
    EXAMPLE: ClassVar[str] = "eu-west-1a"

    kind: Literal["eks"]
    machine: str = "m6i.xlarge"
    system_machine: str = "t3.medium"
    network: Range = "10.0.0.0/16"
    """Range of the network that is made; at least a /20."""
    nat_per_zone: bool = True
    """Whether each zone has a NAT gateway of its own, so that a zone's loss cuts off no other; else one serves all."""
    subnets: Annotated[dict[DnsLabel, str], Field(default_factory=dict)]
    """Private subnets of yours, by zone, with a way out to AWS and the images' registries; then no network is made."""
    admins: tuple[str, ...] = ()
    """ARNs of IAM roles that administer the cluster too; whoever makes it always does."""

    @field_validator("network")
    @classmethod
    def _has_room(cls, network: str) -> str:
        if not 16 <= int(network.rpartition("/")[2]) <= 20:
            raise ValueError("a mask from /16, the most that AWS takes, to /20 is needed")
        return network

    @field_validator("subnets")
    @classmethod
    def _one_for_each_zone(cls, subnets: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        zones = info.data.get("zones", ())
        if subnets and zones and set(subnets) != set(zones):
            raise ValueError(f"there must be one for each of the zones {', '.join(zones)}")
        return subnets


KIND = Kind(EksSettings, on_demand("eks", "pulumi_aws"))
