"""How fast the loss of a node is noticed: settings of servers and clients, in one place since they depend on each
other.

Kafka's defaults notice a lost broker after 9 s (`broker.session.timeout.ms`) and a lost leader of the quorum after 2 s
(`controller.quorum.fetch.timeout.ms`), and a client waits 10 s for a connection to a node that is gone. The times here
bore ten minutes of full load, three brokers and their producer on two cores, without a broker fenced by mistake; the
quorum elected a leader never on one day and 14 times on another, which writes don't wait for (docs/failover.md). Where
pauses of Java or of the network are longer than that, raise them by `kafka.properties`. A new leader of the quorum
gives every broker its session anew: so the loss of both leaders takes the sum of both times. Sources: Kafka
documentation, broker and producer configurations.
"""

from typing import Final

SERVER: Final = {
    "broker.session.timeout.ms": "1500",
    "broker.heartbeat.interval.ms": "250",
    # A voter's fetch waits up to 0.5 s for news; an empty record every 0.2 s brings them, well within its timeout.
    "metadata.max.idle.interval.ms": "200",
    "controller.quorum.fetch.timeout.ms": "600",
    # A voter with a shorter log asks in vain, and the other begins only after up to twice this time.
    "controller.quorum.election.timeout.ms": "200",
    "controller.quorum.election.backoff.max.ms": "200",
    "controller.quorum.request.timeout.ms": "1000",
    # A broker goes on asking a leader of the quorum that is cut off or frozen until then, 30 s by default: no topic was
    # made, no ISR changed, no quorum described while a partition of 12 s lasted, though another led after 1 s.
    "controller.socket.timeout.ms": "2000",
    # A node that is gone answers no connection: the default of 10 s, doubled each time, kept a replaced voter out for
    # 27 s.
    "socket.connection.setup.timeout.ms": "1000",
    "socket.connection.setup.timeout.max.ms": "2000",
    "replica.lag.time.max.ms": "10000",
    # A follower that asks the new leader a moment too early waits the backoff; one whose fetch waits for records asks
    # for the partitions that its leader has just got only afterwards. acks=all waits with both. Where nothing is
    # written, a broker asks each other one 20 times a second.
    "replica.fetch.wait.max.ms": "50",
    "replica.fetch.backoff.ms": "50",
}
"""Of brokers and controllers."""

KEEPALIVE: Final = {
    "net.ipv4.tcp_keepalive_time": "5",
    "net.ipv4.tcp_keepalive_intvl": "1",
    "net.ipv4.tcp_keepalive_probes": "3",
}
"""Kernel parameters of the pods: seconds until an idle connection is asked for a sign of life, between tries, and how
many fail; 2 hours, 75 s and 9 by default. A node that loses its power takes leave of nobody: voters keep idle
connections to it, also when it is back. The next election by such a connection has a leader that no voter reaches
within 1.5 times `controller.quorum.fetch.timeout.ms`, so that it resigns. Kafka sets SO_KEEPALIVE on its sockets. Safe
sysctls since Kubernetes 1.29, allowed by Pod Security `restricted`.
"""

CLIENT: Final = {
    "acks": "all",
    "enable.idempotence": "true",
    # A request in flight to a node that is gone is given up, and the connection to it. So is one that waits for a lost
    # follower, which holds back the question for the new leader that is behind it on the same connection.
    "request.timeout.ms": "1000",
    # A producer asks for the new leader only when a connection to the old one has failed: so the tries are short, and
    # do not grow. TLS and the login are in this time, too: where they take longer, or a client is further away than
    # 0.3 s, raise both.
    "socket.connection.setup.timeout.ms": "500",
    "socket.connection.setup.timeout.max.ms": "500",
    "reconnect.backoff.ms": "50",
    "reconnect.backoff.max.ms": "100",
    "retry.backoff.ms": "50",
    "retry.backoff.max.ms": "200",
    "metadata.max.age.ms": "30000",
}
"""Recommended to producers; a consumer or admin client ignores what is not its own."""
