#!/usr/bin/env bash
# One command for a machine with a GPU: results/on-device.sh [DIRECTORY]
# Measures every precision and method of the devices there, looks at heat, shapes and data, times the plain loops
# of cuBLASLt and PyTorch beside them, and leaves a record directory with a verdict table; under ten minutes.
#   FLOPGAUGE=PATH         use this binary; without it the release build is made
#   ON_DEVICE_BACKEND      cuda (default); any backend name
#   ON_DEVICE_DEVICE       the device, e.g. cuda:0 (default: <backend>:0)
#   ON_DEVICE_SMALL=1      tiny shapes and the quick pace, for a simulated or a software device
#   ON_DEVICE_PRECISION    only these formats where all would be measured, e.g. bf16,int8
# Exit code: that of the verdict (0 pass, 1 fail, 3 nothing measured), 2 for a usage error.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
backend=${ON_DEVICE_BACKEND:-cuda}
device=${ON_DEVICE_DEVICE:-$backend:0}
python=${PYTHON:-python3}
command -v "$python" >/dev/null || { echo "on-device.sh: $python is needed for the verdict table" >&2; exit 2; }

if [ -z "${FLOPGAUGE:-}" ]; then
  (cd "$here/.." && cargo build --release --locked) || { echo "on-device.sh: the build failed" >&2; exit 2; }
  FLOPGAUGE=$here/../target/release/flopgauge
fi
[ -x "$FLOPGAUGE" ] || { echo "on-device.sh: no executable $FLOPGAUGE" >&2; exit 2; }

out=${1:-$here/$(date +%F)-on-device-${device//:/-}}
[ ! -e "$out" ] || { echo "on-device.sh: $out exists; records are never overwritten" >&2; exit 2; }
mkdir -p "$out" || exit 2

if [ -n "${ON_DEVICE_SMALL:-}" ]; then
  n=64 ragged=72,40,56 peer_seconds=0.001
  pace=(--quick) soak=(--quick) limit=120
else
  n=8192 ragged=4093,2051,1027 peer_seconds=3
  # The long soak: 5 s of rest, 30 s of heat, then the plateau and 30 samples of a second.
  pace=(--quick) soak=(--thorough) limit=150
fi

formats=()
[ -z "${ON_DEVICE_PRECISION:-}" ] || formats=(--precision "$ON_DEVICE_PRECISION")

codes=()
# One part of the run: its own record directory and log, and its own time limit, so that one cannot eat the rest.
part() {
  local name=$1; shift
  echo "== $name: flopgauge measure $*"
  "$FLOPGAUGE" measure --device "$device" --no-progress --time-limit "$limit" --out "$out/$name" "$@" \
    >"$out/$name.txt" 2>&1
  local code=$?
  codes+=("$name=$code")
  tail -n 3 "$out/$name.txt"
}

"$FLOPGAUGE" devices --backend "$backend" --json >"$out/devices.json" 2>"$out/devices.txt"
if [ ! -s "$out/devices.json" ]; then cat "$out/devices.txt" >&2; fi

part issue --method issue "${formats[@]}" "${pace[@]}"
part gemm --method gemm --shape "$n,$n,$n" "${formats[@]}" "${pace[@]}"
part ragged --method gemm --shape "$ragged" "${formats[@]}" "${pace[@]}"
part transposed --method gemm --shape "$n,$n,$n" --layout tn --precision fp16,bf16 "${pace[@]}"
part integers --method gemm --shape "$n,$n,$n" --input integers "${formats[@]}" "${pace[@]}"
part sensitivity --method gemm --shape "$n,$n,$n" --precision bf16 --input all "${pace[@]}"
if [ -z "${ON_DEVICE_SMALL:-}" ]; then
  part sweep --method gemm --precision bf16 --sweep coarse "${pace[@]}"
fi
part sustained --method gemm --shape "$n,$n,$n" --precision bf16 "${soak[@]}"

if [ "$backend" = cuda ]; then
  # A plain loop has no formats but these; the others are measured without one beside them.
  plain=()
  precisions=${ON_DEVICE_PRECISION:-}
  for format in ${precisions//,/ }; do
    case $format in fp64 | fp32 | tf32 | bf16 | fp16 | fp8e4m3 | int8) plain+=("$format") ;; esac
  done
  if [ ${#formats[@]} -eq 0 ] || [ ${#plain[@]} -gt 0 ]; then
    some=()
    [ ${#plain[@]} -eq 0 ] || some=(--precision "$(IFS=,; echo "${plain[*]}")")
    (cd "$here/on-device" && "$python" plain_cublaslt.py --n "$n" "${some[@]}" --seconds "$peer_seconds") \
      >>"$out/peers.jsonl" || echo "the plain loop of cuBLASLt ended with $?: no rate of it is in the table"
  fi
  if [ -z "${ON_DEVICE_SMALL:-}" ]; then
    (cd "$here/on-device" && "$python" torch_matmul.py --n "$n" --seconds "$peer_seconds") >>"$out/peers.jsonl"
  fi
fi

echo "exit codes: ${codes[*]}" | tee "$out/exit-codes.txt"
"$python" "$here/on-device/verdict.py" "$out" | tee "$out/verdict.txt"
verdict=${PIPESTATUS[0]}
# The table sees what reached a record; a part that died before that must not pass unseen.
for code in "${codes[@]}"; do
  case ${code#*=} in 0) ;; *) [ "$verdict" -ne 0 ] || verdict=1; echo "part ${code%%=*} ended with ${code#*=}" ;; esac
done
exit "$verdict"
