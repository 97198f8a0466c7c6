#!/bin/sh
# Slurm's Prolog: smoke tier before each job, drains nothing by itself.
# In slurm.conf: Prolog=/etc/slurm/flopgauge-prolog.sh, with PrologFlags=Alloc.
#
# It calls neither scontrol nor sinfo, which Slurm advises against in a prolog. As it stands it
# always exits 0: the verdict goes to the system log, to $FLOPGAUGE_DIR and to your own $FLOPGAUGE_HOOK. But a
# prolog that fails makes SLURM drain the node and requeue the job: only with FLOPGAUGE_ENFORCE=fail does a FAIL exit 1.
# INCONCLUSIVE never does. The job waits for the smoke tier, up to 30 s. Only for nodes that jobs do not share: on others
# a neighbour's load is measured too.
#
# Settings: edit them here; slurmd hands a prolog no environment of yours.
: "${FLOPGAUGE:=/usr/local/bin/flopgauge}"
: "${FLOPGAUGE_SPEC:=default}"
: "${FLOPGAUGE_DIR:=/var/lib/flopgauge/prolog}"
: "${FLOPGAUGE_HOOK:=}"      # called as: HOOK NODE PASS|FAIL|INCONCLUSIVE REASON
: "${FLOPGAUGE_ENFORCE:=no}" # no, or fail

line=$(timeout --kill-after=2 28 "$FLOPGAUGE" accept --spec "$FLOPGAUGE_SPEC" --tier smoke --time-limit 25 \
  --out "$FLOPGAUGE_DIR" 2>&1)
code=$?
line=$(printf '%s\n' "$line" | tail -n 1)
case $code in 0) verdict=PASS ;; 1) verdict=FAIL ;; *) verdict=INCONCLUSIVE ;; esac
reason="flopgauge: $verdict (status $code) $line"
logger -t flopgauge-prolog -- "$reason" 2>/dev/null || true
[ -z "$FLOPGAUGE_HOOK" ] || "$FLOPGAUGE_HOOK" "${SLURMD_NODENAME:-}" "$verdict" "$reason" || true
if [ "$FLOPGAUGE_ENFORCE" = fail ] && [ "$verdict" = FAIL ]; then
  echo "$reason"
  exit 1
fi
exit 0
