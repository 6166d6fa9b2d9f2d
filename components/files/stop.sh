#!/bin/bash
# The preStop hook: Kafka gets its SIGTERM when this ends. The checker decides when; should it be gone, nobody waits for it.
touch /run/kafka-ha/stopping
for ((tenths = 0; tenths < GRACE_PERIOD * 10 - 300; tenths += 2)); do
  [ ! -e /run/kafka-ha/may-stop ] || exit 0
  sleep 0.2
done
