#!/bin/bash
# One of Kafka's own verifiable clients, in a container of the drill's pod: `load.sh producer|consumer|reader`.
# It waits for the file go-ROLE, which holds its arguments; what it says is in ROLE.jsonl, its log in ROLE.log. Its
# process is in ROLE.pid: to stop it, send TERM to that.
set -u
role=$1 folder=${FOLDER:-/drill}
PATH=/opt/kafka/bin:/opt/bitnami/kafka/bin:$PATH
cd "$folder" || exit
touch "$role.jsonl"

if [ -n "${TLS:-}" ]; then # key and certificate in one file, as Kafka reads them
  cat "$TLS/tls.key" "$TLS/tls.crt" >"$role.pem" && mv "$role.pem" node.pem
fi

case $role in producer) client=kafka-verifiable-producer ;; *) client=kafka-verifiable-consumer ;; esac
tool=$(command -v $client.sh || command -v $client) || { echo "the image has no $client" >"$role.log"; exec sleep 1000000; }
# The producer's option was renamed in Kafka 4.2 (KIP-1147), the consumer's later.
option=--command-config
"$tool" --help 2>&1 | grep -q -e "$option" || option=--${client#kafka-verifiable-}.config

until [ -e "go-$role" ]; do sleep 0.1; done
read -ra arguments <"go-$role"
"$tool" "${arguments[@]}" "$option" "$PROPERTIES" >"$role.jsonl" 2>"$role.log" &
echo $! >"$role.pid"
wait
echo "{\"name\": \"ended\"}" >>"$role.jsonl"
exec sleep 1000000
