#!/bin/bash
# As Apache Kafka's script of this name, less what only a source tree or logging of the garbage collector needs.
while :; do
  case "${1:-}" in
    -name) shift 2 ;;
    -loggc) shift ;;
    -daemon) daemon=1; shift ;;
    *) break ;;
  esac
done
[ $# -ge 1 ] || { echo "USAGE: $0 [-daemon] [-name servicename] classname [opts]" >&2; exit 1; }
base=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${KAFKA_HEAP_OPTS:=-Xmx256M}"
: "${KAFKA_JVM_PERFORMANCE_OPTS:=-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 \
-XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true}"
: "${KAFKA_LOG4J_OPTS:=-Dlog4j2.configurationFile=$base/config/tools-log4j2.yaml}"
: "${LOG_DIR:=$base/logs}"
jmx=com.sun.management.jmxremote
if [ -n "${JMX_PORT:-}" ]; then
  KAFKA_JMX_OPTS=${KAFKA_JMX_OPTS:--D$jmx=true -D$jmx.authenticate=false -D$jmx.ssl=false}
  KAFKA_JMX_OPTS+=" -D$jmx.port=$JMX_PORT -D$jmx.rmi.port=$JMX_PORT"
fi
# shellcheck disable=SC2086 # each variable holds several options
set -- java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS ${KAFKA_JMX_OPTS:-} -Dkafka.logs.dir="$LOG_DIR" $KAFKA_LOG4J_OPTS \
  -cp "${CLASSPATH:+$CLASSPATH:}$base/libs/*" ${KAFKA_OPTS:-} "$@"
if [ -n "${daemon:-}" ]; then
  nohup "$@" >/dev/null 2>&1 </dev/null &
  exit
fi
exec "$@"
