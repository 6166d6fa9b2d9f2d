#!/bin/bash
daemon=()
[ "${1:-}" != -daemon ] || { daemon=(-daemon); shift; }
[ $# -ge 1 ] || { echo "USAGE: $0 [-daemon] server.properties [--override property=value]*" >&2; exit 1; }
bin=$(dirname "${BASH_SOURCE[0]}")
export KAFKA_LOG4J_OPTS=${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$bin/../config/log4j2.yaml}
export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}
exec "$bin/kafka-run-class.sh" "${daemon[@]}" -name kafkaServer kafka.Kafka "$@"
