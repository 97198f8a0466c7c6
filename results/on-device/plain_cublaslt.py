"""A plain cuBLASLt loop, the way most people time a product: the peer beside flopgauge's figure.

    python3 plain_cublaslt.py --n 8192 --seconds 3 [--precision bf16,fp16]

One shape, the library's first heuristic, the same buffers in every call, two events round the loop. It shares
no code with flopgauge. One JSON object a precision on standard output; a precision that the library refuses
says so there. Exit code 1 when nothing was timed. Needs the NVIDIA driver and libcublasLt, and no toolkit.
"""

import argparse
import ctypes
import ctypes.util
import glob
import json
import os
import sys
from ctypes import byref, c_double, c_float, c_int, c_int32, c_size_t, c_uint64, c_void_p

from formats import CODES, SIZE, normal_block

WORKSPACE = 32 << 20
# cublasLtMatmulDescAttributes_t and cublasLtMatmulPreferenceAttributes_t.
TRANSA, TRANSB, A_SCALE, B_SCALE, MAX_WORKSPACE = 3, 4, 17, 18, 1


class Heuristic(ctypes.Structure):
    """cublasLtMatmulHeuristicResult_t."""

    _fields_ = [
        ("algo", c_uint64 * 8),
        ("workspace", c_size_t),
        ("state", c_int),
        ("waves", c_float),
        ("reserved", c_int * 4),
    ]


class Refused(Exception):
    """The library or the driver returned an error."""


def check(status, what):
    if status != 0:
        raise Refused(f"{what}: status {status}")


def library(names, folders=()):
    """The first of `names` that loads: by the loader, then in `folders`."""
    tried = []
    for name in [*names, *(path for folder in folders for n in names for path in glob.glob(os.path.join(folder, n)))]:
        try:
            return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
        except OSError as error:
            tried.append(str(error))
    raise Refused("; ".join(tried) or f"none of {names}")


class Device:
    """A device through the driver API: memory, one stream, events."""

    def __init__(self, index):
        self.cuda = library(["libcuda.so.1", "libcuda.so"])
        check(self.cuda.cuInit(0), "cuInit")
        device = c_int()
        check(self.cuda.cuDeviceGet(byref(device), index), "cuDeviceGet")
        name = ctypes.create_string_buffer(256)
        check(self.cuda.cuDeviceGetName(name, 256, device), "cuDeviceGetName")
        self.name = name.value.decode(errors="replace")
        context = c_void_p()
        check(self.cuda.cuDevicePrimaryCtxRetain(byref(context), device), "cuDevicePrimaryCtxRetain")
        check(self.cuda.cuCtxSetCurrent(context), "cuCtxSetCurrent")
        self.stream = c_void_p()
        check(self.cuda.cuStreamCreate(byref(self.stream), 1), "cuStreamCreate")
        self.allocated = []

    def allocate(self, size):
        pointer = c_uint64()
        check(self.cuda.cuMemAlloc_v2(byref(pointer), c_size_t(size)), f"cuMemAlloc of {size} bytes")
        self.allocated.append(pointer)
        return pointer

    def filled(self, size, block):
        """A buffer of `size` bytes that repeats `block`."""
        pointer = self.allocate(size)
        for start in range(0, size, len(block)):
            length = min(len(block), size - start)
            to = c_uint64(pointer.value + start)
            check(self.cuda.cuMemcpyHtoDAsync_v2(to, block, c_size_t(length), self.stream), "cuMemcpyHtoDAsync")
        self.wait()
        return pointer

    def free_all(self):
        while self.allocated:
            check(self.cuda.cuMemFree_v2(self.allocated.pop()), "cuMemFree")

    def wait(self):
        check(self.cuda.cuStreamSynchronize(self.stream), "cuStreamSynchronize")

    def seconds(self, work, times):
        """Device seconds of `times` calls of `work`, by two events."""
        events = [c_void_p(), c_void_p()]
        for event in events:
            check(self.cuda.cuEventCreate(byref(event), 0), "cuEventCreate")
        check(self.cuda.cuEventRecord(events[0], self.stream), "cuEventRecord")
        for _ in range(times):
            work()
        check(self.cuda.cuEventRecord(events[1], self.stream), "cuEventRecord")
        check(self.cuda.cuEventSynchronize(events[1]), "cuEventSynchronize")
        elapsed = c_float()
        ask = getattr(self.cuda, "cuEventElapsedTime_v2", None) or self.cuda.cuEventElapsedTime
        check(ask(byref(elapsed), *events), "cuEventElapsedTime")
        for event in events:
            check(self.cuda.cuEventDestroy_v2(event), "cuEventDestroy")
        return elapsed.value / 1e3


def time_precision(device, lt, handle, precision, n, seconds):
    """One JSON-ready row for `precision` at n x n x n."""
    operand, result, compute, scale, width = CODES[precision]
    block = normal_block(precision, min(n * n, 1 << 18), seed=n)
    a = device.filled(n * n * width, block)
    b = device.filled(n * n * width, block[width:] + block[:width])
    d = device.allocate(n * n * SIZE[result])
    workspace = device.allocate(WORKSPACE)
    description, layouts, preference = c_void_p(), [c_void_p() for _ in range(3)], c_void_p()
    check(lt.cublasLtMatmulDescCreate(byref(description), compute, scale), "cublasLtMatmulDescCreate")

    def describe(attribute, value):
        status = lt.cublasLtMatmulDescSetAttribute(description, attribute, byref(value), c_size_t(ctypes.sizeof(value)))
        check(status, f"cublasLtMatmulDescSetAttribute {attribute}")

    # 8-bit products exist as transposed times plain only; the same choice everywhere keeps the rows alike.
    describe(TRANSA, c_int32(1))
    describe(TRANSB, c_int32(0))
    if precision.startswith("fp8"):
        one = device.filled(4, bytes(c_float(1.0)))
        describe(A_SCALE, one)
        describe(B_SCALE, one)
    for layout, kind in zip(layouts, (operand, operand, result)):
        status = lt.cublasLtMatrixLayoutCreate(byref(layout), kind, c_uint64(n), c_uint64(n), ctypes.c_int64(n))
        check(status, "cublasLtMatrixLayoutCreate")
    check(lt.cublasLtMatmulPreferenceCreate(byref(preference)), "cublasLtMatmulPreferenceCreate")
    limit = c_uint64(WORKSPACE)
    status = lt.cublasLtMatmulPreferenceSetAttribute(preference, MAX_WORKSPACE, byref(limit), c_size_t(8))
    check(status, "cublasLtMatmulPreferenceSetAttribute")
    found, count = Heuristic(), c_int()
    status = lt.cublasLtMatmulAlgoGetHeuristic(
        handle, description, layouts[0], layouts[1], layouts[2], layouts[2], preference, 1, byref(found), byref(count)
    )
    check(status, "cublasLtMatmulAlgoGetHeuristic")
    if count.value < 1 or found.state != 0:
        raise Refused("cublasLtMatmulAlgoGetHeuristic has no algorithm")
    number = {"fp64": c_double, "int8": c_int32}.get(precision, c_float)
    alpha, beta = number(1), number(0)

    def call():
        status = lt.cublasLtMatmul(
            handle, description, byref(alpha), a, layouts[0], b, layouts[1], byref(beta), d, layouts[2], d,
            layouts[2], byref(found.algo), workspace, c_size_t(WORKSPACE), device.stream,
        )  # fmt: skip
        check(status, "cublasLtMatmul")

    device.seconds(call, 1)
    once = max(device.seconds(call, 3) / 3, 1e-7)
    calls = max(3, min(100_000, round(seconds / once)))
    elapsed = device.seconds(call, calls)
    for layout in layouts:
        lt.cublasLtMatrixLayoutDestroy(layout)
    lt.cublasLtMatmulPreferenceDestroy(preference)
    lt.cublasLtMatmulDescDestroy(description)
    return {"calls": calls, "seconds": elapsed, "rate_op_per_s": 2.0 * n**3 * calls / elapsed}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--n", type=int, default=8192, help="size of the square product, a multiple of 16")
    arguments.add_argument("--seconds", type=float, default=3.0, help="length of the timed loop")
    arguments.add_argument("--precision", default=",".join(CODES), help="comma-separated")
    arguments.add_argument("--device", type=int, default=0)
    given = arguments.parse_args()
    unknown = [p for p in given.precision.split(",") if p not in CODES]
    if unknown or given.n < 16 or given.n % 16 or not given.seconds > 0:
        arguments.error(f"--precision of {', '.join(CODES)}; --n a multiple of 16; --seconds above 0")
    timed = 0
    try:
        device = Device(given.device)
        wheels = [os.path.join(p, "nvidia", "*", "lib") for p in sys.path]
        roots = [os.path.join(os.environ[v], "lib64") for v in ("CUDA_HOME", "CUDA_PATH") if v in os.environ]
        own = [os.environ[v] for v in ("FLOPGAUGE_CUDA_PATH",) if v in os.environ]
        lt = library(["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"], [*own, *roots, *wheels])
        handle = c_void_p()
        check(lt.cublasLtCreate(byref(handle)), "cublasLtCreate")
    except Refused as error:
        print(json.dumps({"peer": "cublaslt-plain", "refused": str(error)}))
        return 1
    for precision in given.precision.split(","):
        row = {"peer": "cublaslt-plain", "device": device.name, "precision": precision, "n": given.n}
        try:
            row |= time_precision(device, lt, handle, precision, given.n, given.seconds)
            timed += 1
        except Refused as error:
            row["refused"] = str(error)
        print(json.dumps(row), flush=True)
        try:
            device.free_all()
        except Refused as error:
            # An asynchronous fault is sticky: nothing later in this process would be true.
            print(json.dumps({"peer": "cublaslt-plain", "refused": str(error)}), flush=True)
            return 1
    return 0 if timed else 1


if __name__ == "__main__":
    sys.exit(main())
