#!/bin/bash
# Starts one Kafka node: its own lines after the role's server.properties, a formatted disk, then Kafka.
# From the environment: POD, DOMAIN (of the nodes' Services), LISTENERS (names and ports that it is reached by), DISKS,
# LOG_FOLDER, CLUSTER_ID, METADATA_VERSION (of a new cluster; may be unset), HEAP (-Xms and -Xmx), JVM_OPTIONS; with
# security TLS (the folder of the certificate) and KEYSTORE (the file that Kafka reads it from), and for clients outside
# EXTERNAL (listener and host, {id} for the node's), EXTERNAL_PORT and EXTERNAL_STEP (from a node's port to the next's).
# What `prepare` decided stands in /run/kafka-ha/start.
set -euo pipefail
trap 'exit 143' TERM INT # process 1 heeds no signal by itself

# A container that was stopped by the kubelet and starts again in its pod is no longer to stop.
rm -f /run/kafka-ha/stopping

# node_id, zone, format (none, initial, join), voters, agent (the argument of -javaagent; empty without metrics)
agent=
while IFS='=' read -r key value; do
  declare "$key=$value"
done </run/kafka-ha/start

config=/tmp/server.properties
{
  cat /etc/kafka-ha/server.properties
  echo "node.id=$node_id"
  echo "broker.rack=$zone"
  advertised=
  for listener in $LISTENERS; do
    advertised+=",${listener%:*}://$POD.$DOMAIN:${listener##*:}"
  done
  if [ -n "${EXTERNAL:-}" ]; then
    advertised+=",${EXTERNAL//\{id\}/$node_id}:$((EXTERNAL_PORT + EXTERNAL_STEP * node_id))"
  fi
  echo "advertised.listeners=${advertised#,}"
} >"$config"

if [ -n "${TLS:-}" ]; then
  (umask 077 && cat "$TLS/tls.key" "$TLS/tls.crt" >"$KEYSTORE")
fi

# Exported here and not in the pod, so that a tool started by kubectl exec has its own heap and log settings.
export LOG_DIR=/tmp/logs
unformatted=
for disk in $DISKS; do
  [ -e "$disk/$LOG_FOLDER/meta.properties" ] || unformatted=yes
done
if [ -n "$unformatted" ]; then
  how=(--no-initial-controllers)
  [ "$format" != initial ] || how=(--initial-controllers "$voters" ${METADATA_VERSION:+--release-version "$METADATA_VERSION"})
  KAFKA_HEAP_OPTS=-Xmx128m /opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id="$CLUSTER_ID" \
    --config "$config" "${how[@]}"
  # Once: a disk that is emptied beside a running Kafka is that of a voter, which has forgotten what it voted for.
  echo format=join >>/run/kafka-ha/start
fi

# Java raises the soft limit to the hard one.
files=$(ulimit -Hn)
[ "$files" = unlimited ] || [ "$files" -ge 100000 ] ||
  echo "start: $files files may be open; Kafka's documentation asks for 100000 (the container runtime's LimitNOFILE)"

export KAFKA_HEAP_OPTS="-Xms$HEAP -Xmx$HEAP"
export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=/etc/kafka-ha/log4j2.yaml"
[ -z "$JVM_OPTIONS" ] || export KAFKA_JVM_PERFORMANCE_OPTS="$JVM_OPTIONS"
# The other nodes' addresses are those of their Services, which stay: looked up once, and a failed lookup not remembered.
export KAFKA_OPTS="-Dsun.net.inetaddr.ttl=-1 -Dsun.net.inetaddr.negative.ttl=0"
[ -z "$agent" ] || KAFKA_OPTS+=" -javaagent:$agent"
# Not process 1 of the container: nothing inside of it can kill that.
/opt/kafka/bin/kafka-server-start.sh "$config" &
kafka=$!
signal() { kill "-$1" "$kafka" 2>/dev/null || :; }
trap 'signal TERM' TERM INT # a process in the background ignores INT
wait "$kafka" || : # until it has ended, or the signal has come
while kill -0 "$kafka" 2>/dev/null; do
  # The checker knows when Kafka would wait in vain (checker/stop.py).
  [ ! -e /run/kafka-ha/must-stop ] || signal KILL
  sleep 0.2
done
wait "$kafka" # for its exit code
