"""torch.matmul in a loop: what users of PyTorch see. One JSON object a precision on standard output.

    python3 torch_matmul.py --n 8192 --seconds 3

Exit code 1 when PyTorch or a CUDA device is not there.
"""

import argparse
import json
import sys


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--n", type=int, default=8192)
    arguments.add_argument("--seconds", type=float, default=3.0)
    given = arguments.parse_args()
    try:
        import torch
    except ImportError as error:
        print(json.dumps({"peer": "torch.matmul", "refused": str(error)}))
        return 1
    if not torch.cuda.is_available():
        print(json.dumps({"peer": "torch.matmul", "refused": "PyTorch sees no CUDA device"}))
        return 1
    kinds = {
        "fp64": (torch.float64, False),
        "fp32": (torch.float32, False),
        "tf32": (torch.float32, True),
        "bf16": (torch.bfloat16, False),
        "fp16": (torch.float16, False),
    }
    for precision, (kind, tf32) in kinds.items():
        torch.backends.cuda.matmul.allow_tf32 = tf32
        row = {"peer": "torch.matmul", "device": torch.cuda.get_device_name(), "version": torch.__version__}
        row |= {"precision": precision, "n": given.n}
        try:
            a, b = (torch.randn(given.n, given.n, device="cuda").to(kind) for _ in range(2))
            d = torch.empty(given.n, given.n, device="cuda", dtype=kind)

            def seconds(calls):
                start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                start.record()
                for _ in range(calls):
                    torch.matmul(a, b, out=d)
                end.record()
                end.synchronize()
                return start.elapsed_time(end) / 1e3

            seconds(3)
            once = max(seconds(3) / 3, 1e-7)
            calls = max(3, min(100_000, round(given.seconds / once)))
            elapsed = seconds(calls)
            row |= {"calls": calls, "seconds": elapsed, "rate_op_per_s": 2.0 * given.n**3 * calls / elapsed}
        except RuntimeError as error:
            row["refused"] = str(error).splitlines()[0]
        print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
