#!/bin/bash
# The preStop hook: Kafka gets its SIGTERM when this ends. The checker decides when; should it be gone, this ends in time
# for Kafka's controlled shutdown all the same.
run=/run/kafka-ha
patience=$((GRACE_PERIOD > 60 ? GRACE_PERIOD - 30 : GRACE_PERIOD / 2))
rm -f "$run/may-stop" "$run/must-stop"
touch "$run/stopping"
until [ -e "$run/may-stop" ] || ((SECONDS >= patience)); do
  sleep 0.2
done
