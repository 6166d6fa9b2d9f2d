"""A secured stack through the real engine on a simulated cluster: what is secret stays so, what ends is renewed.

The tests share one stack and stand in the order of its life.
"""

import base64
import json
from typing import Any

import pytest
from cryptography import x509

from tests.engine.conftest import Api, set_kafka
from tests.secret import held
from tests.stack import PulumiFailed, Stack

USER = {"name": "shop", "writes": ["orders"], "reads": ["orders"]}


def state(sim: Stack) -> str:
    """As it is stored."""
    files = (sim.folder / "state").rglob("*")
    return "".join(file.read_text() for file in files if file.is_file() and file.suffix in (".json", ".bak"))


def annotation(api: Api) -> str:
    template = api.apps.read_namespaced_stateful_set("kafka", "kafka").spec.template
    found: str = template.metadata.annotations["kafka-ha/certificate"]
    return found


def test_it_is_deployed_and_then_stays(sim: Stack) -> None:
    set_kafka(sim, security={})
    sim.change(lambda config: config.update(users=[USER]))
    steps = sim.preview()
    assert {"kafka-certificate", "kafka-tls", "kafka-network", "shop", "shop-user", "shop-secret"} <= set(steps)
    out = sim.up()
    assert sim.outputs()["userSecrets"] == ["kafka-user-shop"]
    assert sim.outputs()["authority"].startswith("-----BEGIN CERTIFICATE-----")
    assert "BEGIN PRIVATE KEY" not in out
    sim.up("--expect-no-changes")


def test_the_secrets_hold_what_nodes_and_clients_need(sim: Stack, api: Api) -> None:
    node, user = held(api.core, "kafka-tls", "kafka"), held(api.core, "kafka-user-shop", "kafka")
    found = x509.load_pem_x509_certificate(node["tls.crt"].encode())
    found.verify_directly_issued_by(x509.load_pem_x509_certificate(node["ca.crt"].encode()))
    assert user["ca.crt"] == node["ca.crt"] == sim.outputs()["authority"]
    assert f'username="shop" password="{user["password"]}"' in user["client.properties"]
    assert user["client.properties"].count("bootstrap.servers=kafka-0.kafka.svc.cluster.local:9092") == 1


@pytest.mark.parametrize("refreshed", [False, True])
def test_nothing_secret_is_readable_in_state_previews_or_outputs(sim: Stack, api: Api, refreshed: bool) -> None:
    if refreshed:
        sim.pulumi("refresh", "--stack", sim.name, "--yes", "--skip-preview")
    node, user = held(api.core, "kafka-tls", "kafka"), held(api.core, "kafka-user-shop", "kafka")
    key = node["tls.key"].splitlines()[1]
    shown = sim.pulumi("preview", "--stack", sim.name, "--diff", "--json")
    shown += sim.pulumi("stack", "export", "--stack", sim.name)
    shown += json.dumps(_without_secrets(sim))
    for text in (shown, state(sim)):
        assert user["password"] not in text
        assert base64.b64encode(user["password"].encode()).decode() not in text
        assert key not in text
        assert base64.b64encode(node["tls.key"].encode()).decode()[:80] not in text
    sim.up("--expect-no-changes")


def _without_secrets(sim: Stack) -> Any:
    return json.loads(sim.pulumi("stack", "output", "--stack", sim.name, "--json"))


def test_a_renewed_certificate_is_of_the_same_ca_and_rolls_the_nodes(sim: Stack, api: Api) -> None:
    before, rolled = held(api.core, "kafka-tls", "kafka"), annotation(api)
    pods = {name: pod.metadata.uid for name, pod in api.pods().items()}
    set_kafka(sim, security={"certificateDays": 30})
    steps = sim.preview()
    assert {name: steps[name] for name in ("kafka-certificate", "kafka-tls", "kafka-brokers")} == {
        "kafka-certificate": "update",
        "kafka-tls": "update",
        "kafka-brokers": "update",
    }
    sim.up()
    after = held(api.core, "kafka-tls", "kafka")
    assert after["ca.crt"] == before["ca.crt"]
    assert after["tls.crt"] != before["tls.crt"]
    assert annotation(api) != rolled
    assert not set(pods.values()) & {pod.metadata.uid for pod in api.pods().values()}
    sim.up("--expect-no-changes")


def test_a_user_gets_another_password_when_asked_for(sim: Stack, api: Api) -> None:
    before = held(api.core, "kafka-user-shop", "kafka")
    sim.change(lambda config: config.update(users=[USER | {"reads": []}]))
    sim.up()
    assert held(api.core, "kafka-user-shop", "kafka") == before
    sim.change(lambda config: config.update(users=[USER | {"passwordVersion": 2}]))
    sim.up()
    assert held(api.core, "kafka-user-shop", "kafka")["password"] != before["password"]


def test_a_running_cluster_is_not_switched(sim: Stack) -> None:
    set_kafka(sim)
    sim.change(lambda config: config.update(users=[]))
    with pytest.raises(PulumiFailed, match=r"kafka-ha:kafka.security: got nothing, but this cluster has it"):
        sim.preview()


def test_users_go_with_their_secrets_and_all_goes_at_the_end(sim: Stack, api: Api) -> None:
    set_kafka(sim, security={"certificateDays": 30})
    sim.up()
    names = {secret.metadata.name for secret in api.core.list_namespaced_secret("kafka").items}
    assert names == {"kafka-tls"}
    sim.destroy()
    assert not sim.exists
