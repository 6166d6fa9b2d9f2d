#!/bin/bash
pkill "-${SIGNAL:-TERM}" -f 'kafka\.Kafka' || { echo "No kafka server to stop"; exit 1; }
