"""Number formats of the peers' loops: CUDA type codes and normally distributed operands without NumPy."""

import bisect
import math
import random
import struct

# Precision: (type of A and B, type of D, compute type, type of alpha, bytes an element). The codes are
# cudaDataType and cublasComputeType_t as the cuBLAS documentation lists them.
R_32F, R_64F, R_16F, R_8I, R_32I, R_16BF, R_8F_E4M3 = 0, 1, 2, 3, 10, 14, 28
COMPUTE_32F, COMPUTE_64F, COMPUTE_32I, COMPUTE_32F_FAST_TF32 = 68, 70, 72, 77
CODES = {
    "fp64": (R_64F, R_64F, COMPUTE_64F, R_64F, 8),
    "fp32": (R_32F, R_32F, COMPUTE_32F, R_32F, 4),
    "tf32": (R_32F, R_32F, COMPUTE_32F_FAST_TF32, R_32F, 4),
    "bf16": (R_16BF, R_16BF, COMPUTE_32F, R_32F, 2),
    "fp16": (R_16F, R_16F, COMPUTE_32F, R_32F, 2),
    "fp8e4m3": (R_8F_E4M3, R_16BF, COMPUTE_32F, R_32F, 1),
    "int8": (R_8I, R_32I, COMPUTE_32I, R_32I, 1),
}
SIZE = {R_32F: 4, R_64F: 8, R_16F: 2, R_8I: 1, R_32I: 4, R_16BF: 2, R_8F_E4M3: 1}


def e4m3_value(code):
    """The value of an E4M3 byte (OCP 8-bit floating point, no infinities; 0x7f and 0xff are NaN)."""
    sign = -1.0 if code & 0x80 else 1.0
    exponent, mantissa = code >> 3 & 15, code & 7
    if exponent == 15 and mantissa == 7:
        return math.nan
    if exponent == 0:
        return sign * mantissa * 2.0**-9
    return sign * (1 + mantissa / 8) * 2.0 ** (exponent - 7)


def _e4m3_encoder():
    codes = [code for code in range(256) if code != 0x80 and not math.isnan(e4m3_value(code))]
    codes.sort(key=e4m3_value)
    values = [e4m3_value(code) for code in codes]

    def encode(x):
        i = min(max(bisect.bisect(values, x), 1), len(values) - 1)
        return codes[i] if values[i] - x < x - values[i - 1] else codes[i - 1]

    return encode


def normal_block(precision, elements, seed):
    """`elements` normally distributed values of `precision` as bytes."""
    draw = random.Random(seed)
    values = [draw.gauss(0.0, 1.0) for _ in range(elements)]
    if precision == "fp64":
        return struct.pack(f"<{elements}d", *values)
    if precision in ("fp32", "tf32"):
        return struct.pack(f"<{elements}f", *values)
    if precision == "fp16":
        return struct.pack(f"<{elements}e", *values)
    if precision == "bf16":
        words = struct.unpack(f"<{elements}I", struct.pack(f"<{elements}f", *values))
        return struct.pack(f"<{elements}H", *(word >> 16 for word in words))
    if precision == "fp8e4m3":
        encode = _e4m3_encoder()
        return bytes(encode(value) for value in values)
    if precision == "int8":
        clipped = (max(-127, min(127, round(value * 32))) for value in values)
        return struct.pack(f"<{elements}b", *clipped)
    raise ValueError(f"no operands for {precision}")
