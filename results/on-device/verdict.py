"""The verdict table of an on-device run: flopgauge's rows, their checks, and the peers beside them.

    python3 verdict.py RUN_DIRECTORY

Reads every summary.csv under RUN_DIRECTORY and peers.jsonl in it. Exit code 0: every row that was planned was
measured and verified and no figure is above its peak; 1: one was not; 3: nothing was measured.
"""

import csv
import json
import pathlib
import sys


def rate(text):
    return float(text) if text else None


def tera(value):
    return "-" if value is None else f"{value / 1e12:.1f}"


def rows_of(directory):
    for path in sorted(directory.glob("*/summary.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield path.parent.name, row


def peers_of(directory):
    peers, refused = {}, []
    path = directory / "peers.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in lines:
        row = json.loads(line)
        if "rate_op_per_s" in row:
            peers[row["peer"], row["precision"], str(row["n"])] = row["rate_op_per_s"]
        else:
            refused.append(f"{row['peer']} {row.get('precision', '')}: {row.get('refused', 'no rate')}")
    return peers, refused


def judge(row):
    """What is wrong with a row, or an empty string."""
    if row["outcome"] == "unsupported":
        return ""
    if row["outcome"] != "measured":
        return row["reason"] or row["outcome"]
    if row["verified"] != "true":
        return "not verified"
    # A second opinion beside the NOT CREDIBLE finding. A rated peak is no bound: parts run above their rated clock.
    peak = rate(row["theoretical_op_per_s"])
    if peak and row["theoretical_basis"] != "rated" and rate(row["rate_low_op_per_s"]) > peak:
        return f"above the theoretical peak at {row['theoretical_basis']} clock"
    return ""


def peer_columns(row, peers):
    square = row["m"] == row["n"] == row["k"]
    if row["method"] != "gemm" or not square or row["input"] != "normal" or row["outcome"] != "measured":
        return ["-", "-"]
    found = [peers.get((name, row["precision"], row["n"])) for name in ("cublaslt-plain", "torch.matmul")]
    return [f"{rate(row['rate_op_per_s']) / peer:.3f}" if peer else "-" for peer in found]


HEAD = ["part", "device", "kind", "precision", "method", "implementation", "m x n x k", "input", "TOP/s", "of peak",
        "/plain", "/torch", "verdict"]  # fmt: skip


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    directory = pathlib.Path(sys.argv[1])
    peers, refused = peers_of(directory)
    table, bad, measured = [HEAD], 0, 0
    for part, row in rows_of(directory):
        wrong = judge(row)
        bad += bool(wrong)
        measured += row["outcome"] == "measured"
        efficiency = rate(row["efficiency"])
        shape = " x ".join((row["m"], row["n"], row["k"])) if row["m"] else "-"
        precision = row["precision"] + (f"/{row['accumulate']}" if row["accumulate"] else "")
        table.append(
            [part, row["device"], row["kind"], precision, row["method"], row["implementation"] or "-", shape]
            + [row["input"] or "-", tera(rate(row["rate_op_per_s"]))]
            + ["-" if efficiency is None else f"{100 * efficiency:.1f} %", *peer_columns(row, peers)]
            + ["FAIL: " + wrong if wrong else "ok" if row["outcome"] == "measured" else "unsupported"]
        )
    widths = [max(len(line[i]) for line in table) for i in range(len(HEAD) - 1)]
    for line in table:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(line, widths)), line[-1]]).rstrip())
    for line in refused:
        print(f"peer refused: {line}")
    kinds = {row["kind"] for _, row in rows_of(directory)}
    if kinds - {"hardware"}:
        print(f"NOT HARDWARE: {', '.join(sorted(kinds - {'hardware'}))}; no figure here describes a real device")
    if not measured:
        print("VERDICT: INCONCLUSIVE, nothing was measured")
        return 3
    print(f"VERDICT: {'FAIL' if bad else 'PASS'}, {measured} rows measured, {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
