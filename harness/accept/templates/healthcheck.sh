#!/bin/sh
# Slurm's HealthCheckProgram: smoke tier on idle nodes, drains nothing by itself.
# In slurm.conf: HealthCheckProgram=/etc/slurm/flopgauge-healthcheck.sh, HealthCheckInterval=3600,
# HealthCheckNodeState=IDLE. On a busy node the job would be foreign load to the check and the check to the job.
#
# Slurm does not act on a health check's exit status, so what becomes of a FAIL is for your own
# $FLOPGAUGE_HOOK to say. Exit status: that of the check, 0 PASS, 1 FAIL, 3 INCONCLUSIVE, for other callers.
#
# Settings: edit them here; slurmd hands the program no environment of yours.
: "${FLOPGAUGE:=/usr/local/bin/flopgauge}"
: "${FLOPGAUGE_SPEC:=default}"
: "${FLOPGAUGE_DIR:=/var/lib/flopgauge/healthcheck}"
: "${FLOPGAUGE_HOOK:=}" # called as: HOOK NODE PASS|FAIL|INCONCLUSIVE REASON

line=$(timeout --kill-after=2 28 "$FLOPGAUGE" accept --spec "$FLOPGAUGE_SPEC" --tier smoke --time-limit 25 \
  --out "$FLOPGAUGE_DIR" 2>&1)
code=$?
line=$(printf '%s\n' "$line" | tail -n 1)
case $code in 0) verdict=PASS ;; 1) verdict=FAIL ;; *) verdict=INCONCLUSIVE ;; esac
reason="flopgauge: $verdict (status $code) $line"
logger -t flopgauge-healthcheck -- "$reason" 2>/dev/null || true
[ -z "$FLOPGAUGE_HOOK" ] || "$FLOPGAUGE_HOOK" "${SLURMD_NODENAME:-}" "$verdict" "$reason" || true
exit "$code"
