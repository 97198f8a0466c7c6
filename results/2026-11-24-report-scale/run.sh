#!/usr/bin/env bash
# Time and size of reports of large fleets: bash results/2026-11-24-report-scale/run.sh PROGRAM >OUTPUT
# The fleets are simulated: eight devices a node, three cases a device, one node in a hundred with a fault.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$1
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
echo "nodes,fleet_bytes,page_bytes,wall_s,user_s"
for nodes in 1000 10000; do
  python3 harness/tests/fleet.py "$nodes" >"$folder/fleet.json"
  TIMEFORMAT="%R,%U"
  times=$( { time "$program" report --fleet "$folder/fleet.json" -o "$folder/report.html" 2>/dev/null; } 2>&1)
  echo "$nodes,$(stat -c %s "$folder/fleet.json"),$(stat -c %s "$folder/report.html"),$times"
done
