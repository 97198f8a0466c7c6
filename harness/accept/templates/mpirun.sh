#!/bin/bash
# Open MPI where there is no scheduler: starts the program once a node, verdict by the nodes' files.
# Usage: mpirun.sh HOSTS, as in mpirun.sh 'gpu[01-16]'
# The program is no MPI program; mpirun only starts it.
#
# Settings, from the environment: FLOPGAUGE, SPEC, TIER, DEADLINE and RESULTS as in accept.sbatch, and
#   MPIRUN_OPTIONS   where to start it (--map-by ppr:1:node --hostfile hosts)
# Exit status: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 2 wrong usage, counted from the nodes' files.
set -u
[ $# -eq 1 ] || { echo "usage: $0 HOSTS" >&2; exit 2; }
: "${FLOPGAUGE:=flopgauge}" "${SPEC:=default}" "${TIER:=full}" "${DEADLINE:=900}" "${RESULTS:=$PWD/flopgauge-accept}"
: "${MPIRUN_OPTIONS:=--map-by ppr:1:node --hostfile hosts}"
run=mpi-$(date +%Y%m%dT%H%M%S)-$$
out=$RESULTS/$run
mkdir -p "$out" || exit 2
printf '%s\n' "$1" >"$out/expected"

# orte_abort_on_non_zero_status 0: by default the first node that is not good ends all the others. mpirun then exits 0
# whatever they say, so the files decide. Within an allocation of Slurm the files are still of this run and not of the
# job, in which there may be others.
# shellcheck disable=SC2086 # options are words
timeout --kill-after=5 $((DEADLINE + 30)) \
  mpirun $MPIRUN_OPTIONS --mca orte_abort_on_non_zero_status 0 \
  env -u SLURM_JOB_ID -u SLURM_RESTART_COUNT RUN_ID="$run" timeout --kill-after=5 $((DEADLINE + 15)) \
  "$FLOPGAUGE" accept --spec "$SPEC" --tier "$TIER" --time-limit "$DEADLINE" --out "$out" </dev/null
step=$?
"$FLOPGAUGE" collect "$out" --expect "$1" --job "$run" --restart 0
verdict=$?
echo "flopgauge: run $run: verdict status $verdict, mpirun status $step"
[ "$verdict" -eq 0 ] && [ "$step" -ne 0 ] && exit 3
exit "$verdict"
