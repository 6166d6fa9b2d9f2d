"""The KafkaUser component: a user with its rights, and a Secret from which its programs log in."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components import manifests
from components.kafka_cluster import KafkaCluster
from components.kafka_plan import render_properties
from components.listeners import login
from components.live.user import UserResource
from components.user_settings import UserSettings, rights


class KafkaUser(pulumi.ComponentResource):
    """A user of a secured KafkaCluster. What is changed by hand, `pulumi refresh` finds and the next deployment
    repairs, but for the password, which nobody can read.
    """

    secret: Output[str]
    """Name of the Secret in Kafka's namespace: `username`, `password`, `client.properties`, which is complete, and
    `ca.crt` where the CA is the program's own.
    """

    def __init__(
        self,
        name: str,
        settings: UserSettings,
        kafka: KafkaCluster,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("kafka-ha:index:KafkaUser", name, {"settings": settings.as_inputs()}, opts)
        user = UserResource(
            f"{name}-user",
            {
                "name": settings.name,
                "rights": rights(settings),
                "passwordVersion": settings.password_version,
                **kafka.reach,
            },
            kafka.living(self),
        )
        properties = Output.all(kafka.bootstrap, kafka.client_properties, user.password, kafka.authority).apply(
            lambda found: _client_properties(settings.name, *found)
        )
        authority = {} if kafka.own_authority is None else {"ca.crt": kafka.own_authority}
        secret = k8s.core.v1.Secret(
            f"{name}-secret",
            **manifests.user_secret(kafka.settings, settings.name),
            string_data={
                "username": settings.name,
                "password": user.password,
                "client.properties": properties,
                **authority,
            },
            opts=ResourceOptions.merge(
                kafka.cluster.placing(), ResourceOptions(parent=self, deleted_with=kafka.stateful_set)
            ),
        )
        self.secret = secret.metadata.name
        self.register_outputs({"secret": self.secret})


def _client_properties(user: str, bootstrap: str, recommended: str, password: str, authority: str | None) -> str:
    lines = {"bootstrap.servers": bootstrap, "sasl.jaas.config": login(user, password)}
    if authority:
        # In one line: a file of properties that can be copied anywhere.
        lines |= {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": " ".join(authority.split("\n")).strip()}
    return recommended + render_properties(lines)
