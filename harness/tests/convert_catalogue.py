#!/usr/bin/env python3
"""Converts the two research tables, devices.csv and flops_per_clock.csv, into the catalogue's TOML files.

    harness/tests/convert_catalogue.py CSV_FOLDER harness/device

Writes catalogue/*.toml (one per device family) and rates/*.toml (one per vendor). The same input gives the
same bytes. What the tables say only in prose (ranges, market, parts that are no entry) stands in CURATED below,
each with where the tables say it.
"""

import csv
import json
import pathlib
import sys
from collections import Counter

DEVICE_COLUMNS = (
    "vendor device_name aliases pci_device_id form_factor arch rate_class units unit_kind boost_clock_mhz "
    "memory_gb bandwidth_gb_s tdp_w die_area_mm2 interconnect_gb_s"
).split()

FAMILIES = [  # file stem, family, test on (vendor, arch, name)
    ("nvidia-volta", "NVIDIA Volta", lambda v, a, n: a == "7.0"),
    ("nvidia-ampere", "NVIDIA Ampere", lambda v, a, n: a in ("8.0", "8.6")),
    ("nvidia-ada", "NVIDIA Ada", lambda v, a, n: a == "8.9"),
    ("nvidia-hopper", "NVIDIA Hopper", lambda v, a, n: a == "9.0"),
    ("nvidia-blackwell", "NVIDIA Blackwell", lambda v, a, n: a in ("10.0", "10.3")),
    ("nvidia-blackwell-rtx", "NVIDIA Blackwell RTX and GB10", lambda v, a, n: a in ("12.0", "12.1")),
    ("amd-instinct", "AMD Instinct", lambda v, a, n: "Instinct" in n),
    ("amd-radeon", "AMD Radeon", lambda v, a, n: "Radeon" in n),
    ("intel-gaudi", "Intel Gaudi", lambda v, a, n: a == "Gaudi"),
    ("intel-gpu", "Intel GPU", lambda v, a, n: v == "Intel"),
    ("google-tpu", "Google TPU", lambda v, a, n: v == "Google"),
    ("aws-neuron", "AWS Trainium and Inferentia", lambda v, a, n: v == "AWS"),
    ("apple-m", "Apple M", lambda v, a, n: v == "Apple"),
    ("huawei-ascend", "Huawei Ascend", lambda v, a, n: v == "Huawei"),
    ("cerebras", "Cerebras", lambda v, a, n: v == "Cerebras"),
    ("groq", "Groq", lambda v, a, n: v == "Groq"),
]

RATE_FILES = {"NVIDIA": "nvidia", "AMD": "amd", "Intel": "intel", "Apple": "apple", "x86": "cpu", "arm": "cpu"}

PCI_VENDOR = {"NVIDIA": "10de", "AMD": "1002", "Intel": "8086"}

# Rows whose sources conflict: (device, dtype) -> low and high in tera. From the notes of the rows and the table
# of ambiguous devices that came with them.
RANGES = {
    ("NVIDIA GB200", "fp64"): (40, 45),
    ("NVIDIA GB200", "fp64_tensor"): (40, 45),
    ("NVIDIA GB200", "fp32"): (80, 90),
    ("NVIDIA GB200", "bf16"): (2250, 2500),
    ("NVIDIA GB200", "fp16"): (2250, 2500),
    ("NVIDIA GB200", "fp8"): (4500, 5000),
    ("NVIDIA GB200", "fp4"): (9000, 10000),
    ("NVIDIA B300 SXM6 AC", "fp4"): (13100, 15000),
    ("NVIDIA B300 SXM6 AC", "int8"): (125, 157.5),
    ("NVIDIA GB10", "bf16"): (62, 125),
    ("NVIDIA L40", "tf32"): (90.5, 181),
    ("NVIDIA L40", "bf16"): (181.05, 362.1),
    ("NVIDIA L40", "fp16"): (181.05, 362.1),
    ("NVIDIA L40", "fp8"): (362, 724),
    ("NVIDIA L40", "int8"): (362, 724),
    ("NVIDIA L40", "int4"): (724, 1448),
    ("NVIDIA A10G", "fp16"): (70, 140),
    ("NVIDIA A10G", "int8"): (140, 280),
    ("NVIDIA A10G", "fp32"): (31.5, 35),
    ("NVIDIA H20", "fp32"): (39.5, 44),
    ("Intel Gaudi 3", "bf16"): (1678, 1835),
    ("Intel Gaudi 3", "fp8"): (1678, 1835),
    ("trn2", "bf16"): (632, 667),
    ("trn1", "int8"): (380, 420),
}

# Why a row may stand apart from the formula: (device, dtype) -> reason.
DEVIATIONS = {
    ("NVIDIA H20", "fp64"): "export-capped to 1 TFLOP/s by policy, not silicon",
    ("NVIDIA H20", "fp32"): "44 TFLOP/s needs 2.2 GHz at 78 SM: unexplained",
    ("NVIDIA H800", "fp64"): "export-capped to 1 TFLOP/s by policy, not silicon",
    ("NVIDIA H800", "fp64_tensor"): "export-capped to 1 TFLOP/s by policy, not silicon",
    ("NVIDIA B300 SXM6 AC", "fp64"): "rounded: 10 TFLOP/s of eight devices; the formula gives 1.2",
    ("NVIDIA B300 SXM6 AC", "fp32"): "rounded: the formula gives 77.0 at 2032 MHz, 75.0 at 1980 MHz",
    ("NVIDIA B300 SXM6 AC", "fp4"): "sources give 13.1, 13.5, 14 and 15 PFLOP/s; the formula gives 13.5 at 1856 MHz",
    ("NVIDIA B300 SXM6 AC", "int8"): "rounded: the formula gives 140.6 at 1856 MHz, 150.0 at 1980 MHz",
    ("NVIDIA GB300", "int8"): "rounded: the formula gives 156.3 at 2008 MHz",
    ("NVIDIA GB10", "fp32"): "needs 2.52 GHz, above the reported 2418 MHz",
    ("NVIDIA GB10", "fp4"): "needs 2.54 GHz, above the reported 2418 MHz",
    ("NVIDIA GB10", "fp8"): "computed at 2520 MHz, above the reported 2418 MHz",
    ("NVIDIA GB10", "int8"): "computed at 2520 MHz, above the reported 2418 MHz",
    ("NVIDIA GB10", "bf16"): "62 (GeForce-like) or 125 (pro-like), at 2520 MHz, above the reported 2418 MHz",
    ("Intel Gaudi 3", "bf16"): "needs 1750 MHz; the shipping matrix clock of 1600 MHz gives 1678",
    ("Intel Gaudi 3", "fp8"): "needs 1750 MHz; the shipping matrix clock of 1600 MHz gives 1678",
    ("Intel(R) Arc(TM) A770 Graphics", "int8"): "recalled figure at 2.0 GHz; the formula gives 275 at 2.1 GHz",
}

# Parts that a name or a PCI id tells apart from an entry and that are no entry themselves.
OTHERS = {
    "nvidia-volta": [("Tesla V100-PCIE-32GB", "1db6")],
    "nvidia-ada": [
        ("NVIDIA GeForce RTX 4090 D", "2685"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None),
    ],
    "nvidia-hopper": [
        ("NVIDIA H100", "2339"),
        ("NVIDIA H100 NVL", None),
        ("NVIDIA H800 PCIe", None),
        ("NVIDIA H800 NVL", None),
        ("NVIDIA H20-3e", "232c"),
        ("NVIDIA H20 NVL16", "230e"),
    ],
    "nvidia-blackwell-rtx": [
        ("NVIDIA GeForce RTX 5090 D", "2b87"),
        ("NVIDIA GeForce RTX 5090 D v2", "2b8c"),
        ("NVIDIA GeForce RTX 5090 Laptop GPU", None),
        ("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", None),
    ],
    "amd-instinct": [("AMD Instinct MI250", None)],
    "huawei-ascend": [("Ascend 910B", None)],
}

# Parts whose rates are capped by policy: the formula of their architecture overstates them.
CAPPED = ("H800", "H20")

# Whom a part is sold to, where that is not a data centre; from the maker's product lines, recalled.
CONSUMER = ("GeForce", "Radeon RX", "Arc(TM)", "Apple")
WORKSTATION = ("RTX 6000 Ada", "Workstation", "Radeon PRO", "GB10")

# Names by which a micro-architecture of the CPU table may be asked for.
CPU_NAMES = {
    "Nehalem": ["Nehalem", "Westmere"],
    "Sandy/Ivy Bridge": ["Sandy Bridge", "Ivy Bridge"],
    "Haswell..Skylake client, Alder/Raptor P-core": [
        "Haswell", "Broadwell", "Skylake", "Kaby Lake", "Coffee Lake", "Comet Lake", "Alder Lake", "Raptor Lake",
    ],
    "Skylake-SP/X, Cascade Lake, Ice Lake-SP (2 FMA ports)": [
        "Skylake-SP", "Skylake-X", "Cascade Lake", "Ice Lake-SP",
    ],
    "Skylake-SP Bronze/Silver/Gold 5xxx; Ice/Tiger/Rocket Lake client (1 port)": [
        "Skylake-SP one port", "Ice Lake", "Tiger Lake", "Rocket Lake",
    ],
    "Sapphire/Emerald Rapids": ["Sapphire Rapids", "Emerald Rapids"],
    "Sapphire Rapids and later": ["Sapphire Rapids", "Emerald Rapids", "Granite Rapids"],
    "Granite Rapids": ["Granite Rapids"],
    "Zen 1": ["Zen 1", "Zen"],
    "Zen 2 / Zen 3": ["Zen 2", "Zen 3"],
    "Zen 5 (desktop/server full 512-bit)": ["Zen 5"],
    "Neoverse N1 / Cortex-A76": ["Neoverse N1", "Cortex-A76"],
    "Neoverse V1 (Graviton3)": ["Neoverse V1", "Graviton3"],
    "Neoverse V2 (Grace, Graviton4)": ["Neoverse V2", "Grace", "Graviton4"],
    "Apple M1..M4 P-core": ["Apple M P-core"],
}

# Named parts with tensor rates of their own: of class `all` only the CUDA cores hold for them.
OWN_MATRIX_RATES = {"A10G", "L40", "H20"}

# Architectures whose rate table is known to be incomplete: a precision that is absent there may still exist.
INCOMPLETE = {"8.7", "11.0", "12.1", "Apple7-9", "Gaudi"}

DTYPES = "fp64 fp32 tf32 bf16 fp16 fp8 fp6 fp4 int8 int4".split()


def meaning(vendor, engine, dtype):
    """(precision, unit, variant) of a table's dtype; the engine is known for rates only."""
    base, _, suffix = dtype.partition("_")
    variant = None
    if suffix == "packed":
        variant, suffix = "packed", "vector"
    if base == "mxfp8":
        base, variant = "fp8", "block-scaled"
    if base not in DTYPES or suffix not in ("", "vector", "matrix", "tensor"):
        raise SystemExit(f"unknown dtype {dtype}")
    if suffix:
        unit = "vector" if suffix == "vector" else "matrix"
    elif vendor in ("x86", "arm"):
        unit = "matrix" if engine.startswith("AMX") and "TMUL" in engine or engine == "AMX-FP16" else "vector"
    elif engine == "cuda_dp4a" or vendor == "Apple":
        unit = "vector"
    else:
        unit = "vector" if vendor == "NVIDIA" and base in ("fp64", "fp32") else "matrix"
    return base, unit, variant


def accumulate(base, unit, written):
    """The accumulator; a vector unit without one sums in its own format, bf16 excepted."""
    if written:
        return written
    if base in ("fp64", "fp32", "fp16"):
        return base
    return None


def text(value):
    return json.dumps(value, ensure_ascii=False)


def number(value):
    return value if "." not in value else value.rstrip("0").rstrip(".")


class Sources:
    """Documents by key; one document is written once per file."""

    def __init__(self):
        self.rows = {}

    def key(self, row):
        if not row["source_url"]:
            return None
        title, address, tier = row["source_title"], row["source_url"], row["source_tier"]
        words = "".join(c.lower() if c.isalnum() else " " for c in title).split()
        for length in range(4, len(words) + 1):
            key = "-".join(words[:length])
            if self.rows.setdefault(key, (title, address, tier)) == (title, address, tier):
                return key
        raise SystemExit(f"no key for {title}")

    def lines(self):
        for key in sorted(self.rows):
            title, address, tier = self.rows[key]
            yield ""
            yield f"[source.{key}]"
            yield f"title = {text(title)}"
            yield f"url = {text(address)}"
            yield f"tier = {text(tier)}"


def split_notes(rows):
    """Parts of the notes that every row of a device repeats, and what is left of each."""
    parts = [[p for p in r["note"].split("; ") if p] for r in rows]
    count = Counter(p for ps in parts for p in set(ps))
    shared = [p for p in parts[0] if count[p] == len(rows)]
    return "; ".join(shared), ["; ".join(p for p in ps if p not in shared) for ps in parts]


def peak(row, note, sources):
    base, unit, variant = meaning(row["vendor"], "", row["dtype"])
    assert variant is None
    fields = [
        ("precision", text(base)),
        ("unit", text(unit)),
        ("accumulate", text(accumulate(base, unit, row["accumulate"]))),
        ("rate_op_per_s", text(number(row["dense_peak_tera"]) + "e12")),
    ]
    assert (row["unit"] == "TOP/s") == base.startswith("int"), row
    if row["published_with_sparsity_and_halved"] != "no":
        fields.append(("sparsity", text({"yes": "halved", "unknown": "unknown"}[row["published_with_sparsity_and_halved"]])))
    if row["tensor_clock_mhz"]:
        fields.append(("rated_clock_mhz", row["tensor_clock_mhz"]))
        fields.append(("rated_clock_basis", text(row["tensor_clock_basis"].replace("_", "-"))))
    key = sources.key(row)
    if key:
        fields.append(("source", text(key)))
    fields.append(("evidence", text(row["evidence"])))
    place = (row["device_name"], row["dtype"])
    if place in RANGES:
        low, high = RANGES[place]
        fields.append(("range_op_per_s", f'["{low}e12", "{high}e12"]'))
    if place in DEVIATIONS:
        fields.append(("deviation", text(DEVIATIONS[place])))
    if row["note"].startswith("export-capped to 1 TFLOP/s"):
        fields.append(("export_capped", "true"))
    if note:
        fields.append(("note", text(note)))
    return "  { " + ", ".join(f"{k} = {v}" for k, v in fields) + " },"


def device(rows, sources):
    first = rows[0]
    for column in DEVICE_COLUMNS:
        assert len({r[column] for r in rows}) == 1, (first["device_name"], column)
    shared, notes = split_notes(rows)
    yield ""
    yield "[[device]]"
    yield f'vendor = {text(first["vendor"])}'
    yield f'name = {text(first["device_name"])}'
    aliases = [a for a in first["aliases"].split(";") if a]
    if aliases:
        yield "aliases = [" + ", ".join(text(a) for a in aliases) + "]"
    pci = [p for p in first["pci_device_id"].split(";") if p]
    if pci:
        maker = "1da3" if "Gaudi" in first["device_name"] else PCI_VENDOR[first["vendor"]]
        yield "pci_ids = [" + ", ".join(text(f"{maker}:{p.lower()}") for p in pci) + "]"
    yield f'form_factor = {text(first["form_factor"])}'
    market = "datacenter"
    if any(word in first["device_name"] for word in CONSUMER):
        market = "consumer"
    elif any(word in first["device_name"] for word in WORKSTATION):
        market = "workstation"
    yield f"market = {text(market)}"
    if first["arch"]:
        yield f'architecture = {text(first["arch"])}'
    if first["rate_class"]:
        yield f'rate_class = {text(first["rate_class"])}'
    if first["units"]:
        yield f'units = {first["units"]}'
        yield f'unit_kind = {text(first["unit_kind"])}'
    if first["boost_clock_mhz"]:
        yield f'boost_clock_mhz = {first["boost_clock_mhz"]}'
    for column, key in [
        ("memory_gb", "memory_gb"), ("bandwidth_gb_s", "bandwidth_gb_s"), ("tdp_w", "tdp_w"),
        ("die_area_mm2", "die_area_mm2"), ("interconnect_gb_s", "interconnect_gb_s"),
    ]:
        if first[column]:
            yield f"{key} = {text(first[column])}"
    if shared:
        yield f"note = {text(shared)}"
    yield "peaks = ["
    for row, note in zip(rows, notes):
        yield peak(row, note, sources)
    yield "]"


def family(stem, title, devices):
    sources = Sources()
    body = []
    for rows in devices:
        body.extend(device(rows, sources))
    for name, pci in OTHERS.get(stem, []):
        body += ["", "[[other]]", f"name = {text(name)}"]
        if any(word in name for word in CAPPED):
            body.append("capped = true")
        if pci:
            body.append(f'pci_ids = ["{PCI_VENDOR["AMD" if "AMD" in name else "NVIDIA"]}:{pci}"]')
    head = ['format = "flopgauge.catalogue/1"', f"family = {text(title)}"]
    return "\n".join(head + list(sources.lines()) + body) + "\n"


def rate(row, sources):
    base, unit, variant = meaning(row["vendor"], row["engine"], row["dtype"])
    fields = [("precision", text(base)), ("unit", text(unit))]
    sum_in = accumulate(base, unit, row["accumulate"])
    if sum_in:
        fields.append(("accumulate", text(sum_in)))
    if variant:
        fields.append(("variant", text(variant)))
    fields.append(("ops_per_clock", row["dense_flop_per_clk_per_unit"]))
    assert int(row["dense_flop_per_clk_per_unit"]) == 2 * int(row["fma_per_clk_per_unit"]), row
    fields.append(("engine", text(row["engine"])))
    key = sources.key(row)
    if key:
        fields.append(("source", text(key)))
    fields.append(("evidence", text(row["evidence"])))
    if row["note"]:
        fields.append(("note", text(row["note"])))
    return "  { " + ", ".join(f"{k} = {v}" for k, v in fields) + " },"


def rates(table):
    sources = Sources()
    body = []
    groups = {}
    for row in table:
        groups.setdefault((row["vendor"], row["arch"], row["rate_class"], row["unit_kind"]), []).append(row)
    for (vendor, arch, rate_class, kind), rows in groups.items():
        body += ["", "[[group]]", f"vendor = {text(vendor)}", f"architecture = {text(arch)}"]
        if arch in CPU_NAMES:
            body.append("names = [" + ", ".join(text(n) for n in CPU_NAMES[arch]) + "]")
        body += [f"rate_class = {text(rate_class)}", f"unit_kind = {text(kind)}"]
        if rate_class in OWN_MATRIX_RATES:
            body.append("own_matrix_rates = true")
        if arch in INCOMPLETE or vendor in ("x86", "arm"):
            body.append("incomplete = true")
        body.append("rates = [")
        body += [rate(row, sources) for row in rows]
        body.append("]")
    return "\n".join(['format = "flopgauge.rates/1"'] + list(sources.lines()) + body) + "\n"


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    tables, out = map(pathlib.Path, sys.argv[1:])
    with open(tables / "devices.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with open(tables / "flops_per_clock.csv", newline="", encoding="utf-8") as file:
        rate_rows = list(csv.DictReader(file))
    devices = {}
    for row in rows:
        devices.setdefault(row["device_name"], []).append(row)
    left = dict(devices)
    for stem, title, belongs in FAMILIES:
        here = [n for n, r in left.items() if belongs(r[0]["vendor"], r[0]["arch"], n)]
        (out / "catalogue" / f"{stem}.toml").write_text(family(stem, title, [left.pop(n) for n in here]), encoding="utf-8")
    assert not left, left
    for stem in sorted(set(RATE_FILES.values())):
        part = [r for r in rate_rows if RATE_FILES[r["vendor"]] == stem]
        (out / "rates" / f"{stem}.toml").write_text(rates(part), encoding="utf-8")
    print(f"{len(rows)} peaks of {len(devices)} devices, {len(rate_rows)} rates")


main()
