"""Prints a fleet file of simulated nodes, kind fleet/1: python3 harness/tests/fleet.py NODES [NAME_OF_A_MODEL]

Eight devices a node, three cases, one per cent of the nodes with a fault of some kind. The same arguments give the same
file. Every figure is made up, and every device says so.
"""

import json
import random
import statistics
import sys
import uuid

# What scipy.stats.t.isf(0.025 / n, 0.37 * (n - 1)) is near to for some hundreds and some tens of thousands of devices.
LIMIT = 4.5

CASES = [("bf16", "fp32", 790e12), ("fp8e4m3", "fp32", 1480e12), ("fp64", "fp64", 61e12)]


def device(chance, node, index, model, factor):
    rates = []
    for precision, accumulate, rate in CASES:
        value = rate * chance.gauss(1, 0.004) * (factor if precision == "bf16" else 1)
        rates.append({"method": "gemm", "precision": precision, "accumulate": accumulate, "rate_op_per_s": value})
    return {
        "id": f"scripted:{index}", "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{node}/{index}")), "model": model,
        "backend": "scripted", "kind": "simulated", "verdict": "PASS", "checks": [], "rates": rates,
    }


def node(chance, number, model):
    name = f"node{number:05}"
    factor, state, verdict, reason = 1, "reported", "PASS", "all checks passed"
    if number % 100 == 17:
        factor, verdict, reason = 0.86, "FAIL", "gemm_bf16 of scripted:3 is an outlier of the fleet"
    elif number % 400 == 41:
        state, verdict, reason = "missing", "INCONCLUSIVE", "no file of this run"
    elif number % 400 == 77:
        verdict, reason = "INCONCLUSIVE", "scripted:0: throttled for heat"
    there = state == "reported"
    devices = [device(chance, name, at, model, factor if at == 3 else 1) for at in range(8)] if there else []
    if factor != 1:
        devices[3]["verdict"] = "FAIL"
    return {
        "node": name, "state": state, "verdict": verdict, "reason": reason,
        "own_verdict": ("INCONCLUSIVE" if verdict == "INCONCLUSIVE" else "PASS") if there else None,
        "tier": "full" if there else None, "duration_s": chance.gauss(312, 3) if there else None,
        "simulated": True if there else None, "devices": devices, "checks": [],
    }


def group(nodes, model, case):
    precision, accumulate, _ = case
    of = [d for n in nodes for d in n["devices"] if n["verdict"] == "PASS"]
    values = [r["rate_op_per_s"] for d in of for r in d["rates"] if r["precision"] == precision]
    median = statistics.median(values)
    deviation = statistics.median(abs(value - median) for value in values)
    reach = max(LIMIT * deviation / 0.6745, 0.01 * median)
    return {
        "model": model, "backend": "scripted", "kind": "simulated", "method": "gemm", "precision": precision,
        "accumulate": accumulate, "of": "PASS", "nodes": sum(n["verdict"] == "PASS" for n in nodes),
        "devices": len(values), "minimum_op_per_s": min(values), "median_op_per_s": median,
        "maximum_op_per_s": max(values), "median_deviation_op_per_s": deviation,
        "score_limit": LIMIT, "floor_op_per_s": 0.9 * median, "low_limit_op_per_s": median - reach, "high_limit_op_per_s": median + reach, "not_judged": None,
    }


def outliers(nodes, model, groups):
    for n in nodes:
        for d in n["devices"]:
            for rate, of in zip(d["rates"], groups):
                value, median = rate["rate_op_per_s"], of["median_op_per_s"]
                if of["low_limit_op_per_s"] <= value <= of["high_limit_op_per_s"]:
                    continue
                side = "slow" if value < median else "fast"
                yield {
                    "node": n["node"], "device": d["id"], "uuid": d["uuid"], "model": model, "method": "gemm",
                    "precision": rate["precision"], "accumulate": rate["accumulate"], "side": side,
                    "fails": side == "slow" and n["verdict"] == "FAIL", "rate_op_per_s": value,
                    "median_op_per_s": median, "of_median": value / median,
                    "score": 0.6745 * abs(value - median) / of["median_deviation_op_per_s"], "score_limit": LIMIT,
                }


def main():
    count = int(sys.argv[1])
    model = sys.argv[2] if len(sys.argv) > 2 else "Scripted fleet part"
    chance = random.Random(count)
    nodes = [node(chance, number, model) for number in range(1, count + 1)]
    groups = [group(nodes, model, case) for case in CASES]
    by = lambda key, value: [n for n in nodes if n[key] == value]
    names = lambda some: ",".join(n["node"] for n in some)
    passing = by("verdict", "PASS")
    bad = [n for n in nodes if n["verdict"] != "PASS"]
    fleet = {
        "format": "flopgauge.fleet/1", "version": "0.1.0", "commit": None, "collected": "2026-11-24T12:00:00Z",
        "job": "4711", "restart": 0, "simulated": True, "verdict": "FAIL" if by("verdict", "FAIL") else "PASS",
        "reason": f"{len(bad)} of {count} nodes do not pass", "expected_nodes": f"node[00001-{count:05}]",
        "passing_nodes": names(passing[:3]) + (",…" if len(passing) > 3 else ""), "failing_nodes": names(bad),
        "counts": {
            "expected": count, "pass": len(passing), "fail": len(by("verdict", "FAIL")),
            "inconclusive": len(by("verdict", "INCONCLUSIVE")), "reported": len(by("state", "reported")),
            "missing": len(by("state", "missing")), "unfinished": 0, "stale": 0, "unreadable": 0, "duplicate": 0,
            "unexpected": 0,
        },
        "ignored": {"count": 0, "examples": []},
        "outlier_rule": {
            "least_score_limit": 3.5, "chance": 0.05, "least_share_of_rate": 0.01, "least_share_of_duration": 0.1,
            "least_values": 5,
        },
        "groups": groups, "outliers": list(outliers(nodes, model, groups)),
        "drift": [{
            "model": model, "fact": "driver", "usual": {"value": "580.65", "count": count - 1, "nodes": "all others"},
            "others": [{"value": "575.51", "count": 1, "nodes": nodes[0]["node"]}],
        }],
        "stragglers": [], "notes": ["simulated: nothing here says anything of machines"], "nodes": nodes,
    }
    json.dump(fleet, sys.stdout)


if __name__ == "__main__":
    main()
