"""Ratio, interval and probability of two runs by SciPy, for comparison with `flopgauge compare`.

Standard input: JSON of `a` and `b` (times of one piece of work, in order), `blocks` and `level`. Standard output: JSON.
"""

import json
import math
import statistics
import sys

from scipy.stats import ttest_ind

asked = json.load(sys.stdin)


def logs(times):
    edges = [block * len(times) // asked["blocks"] for block in range(asked["blocks"] + 1)]
    return [-math.log(statistics.median(times[low:high])) for low, high in zip(edges, edges[1:])]


a, b = logs(asked["a"]), logs(asked["b"])
test = ttest_ind(b, a, equal_var=False)
low, high = test.confidence_interval(asked["level"])
ratio = math.exp(statistics.fmean(b) - statistics.fmean(a))
print(json.dumps({"ratio": ratio, "low": math.exp(low), "high": math.exp(high), "p": float(test.pvalue)}))
