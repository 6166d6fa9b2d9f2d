#!/bin/bash
# Starts one Kafka node: its own lines after the common server.properties, a formatted disk, then Kafka as process 1.
# From the environment: CLUSTER_ID, DOMAIN (of the headless Service), VOTERS (how many nodes vote), HEAP (-Xms and -Xmx).
set -euo pipefail

id=${HOSTNAME##*-}
roles=broker
listeners="PLAINTEXT://:9092"
if [ "$id" -lt "$VOTERS" ]; then
  roles=broker,controller
  listeners+=",CONTROLLER://:9093"
fi

config=/tmp/server.properties.node
{
  cat /etc/kafka-ha/server.properties
  echo "node.id=$id"
  echo "process.roles=$roles"
  echo "listeners=$listeners"
  echo "advertised.listeners=PLAINTEXT://$HOSTNAME.$DOMAIN:9092"
} >"$config"

# Exported here and not in the pod, so that a tool started by kubectl exec has its own heap and log settings.
export LOG_DIR=/tmp/logs
export KAFKA_HEAP_OPTS="-Xms$HEAP -Xmx$HEAP"
export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=/etc/kafka-ha/log4j2.yaml"

/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id="$CLUSTER_ID" --config "$config"
exec /opt/kafka/bin/kafka-server-start.sh "$config"
