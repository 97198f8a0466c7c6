"""ReFrame test: one task a node, the verdicts as numbers against a reference.

    reframe -C SITE.py -c reframe_accept.py -r -S num_tasks=64
    reframe -C SITE.py -c reframe_accept.py -r -S num_tasks=1 --distribute=all     # an instance for each node

Whether each node said something is sanity; what it said is performance, because a test that fails its sanity loses its
numbers. Rates are reported too, the lowest of all devices for each check; the limit they were held to is in the log.
"""

import os
import re

import reframe as rfm
import reframe.utility.sanity as sn


@rfm.simple_test
class FlopgaugeAccept(rfm.RunOnlyRegressionTest):
    """PASS of every node, and the lowest rate of each check."""

    descr = "acceptance of compute nodes by measured rates"
    program = variable(str, value="flopgauge")
    spec = variable(str, value="default")
    tier = variable(str, value="full")
    deadline_s = variable(int, value=900)
    valid_systems = ["*"]
    valid_prog_environs = ["*"]
    num_tasks = 1
    num_tasks_per_node = 1
    exclusive_access = True
    time_limit = "30m"

    @run_before("run")
    def command(self):
        self.executable = self.program
        self.executable_opts = ["accept", "--spec", self.spec, "--tier", self.tier]
        self.executable_opts += ["--time-limit", str(self.deadline_s), "--out", "nodes"]

    @run_before("run")
    def scheduling(self):
        """A node that is bad or dead must not cost the others their results."""
        if self.job.scheduler.registered_name in ("slurm", "squeue"):
            self.job.options += ["--no-requeue", "--no-kill"]
            self.job.launcher.options += ["--no-kill", "--kill-on-bad-exit=0"]

    @sanity_function
    def every_node_has_a_verdict(self):
        nodes = sn.extractall(r"^VERDICT node=(\S+) (?:PASS|FAIL|INCONCLUSIVE) ", self.stdout, 1)
        return sn.assert_eq(sn.count_uniq(nodes), self.num_tasks, "{0} of {1} nodes gave a verdict")

    @run_before("performance")
    def figures(self):
        """Nodes that pass must be all there are; rates carry no reference here, the spec holds the limits."""
        # Hooks of this phase run outside the stage directory.
        printed = os.path.join(self.stagedir, sn.evaluate(self.stdout))
        passing = sn.count(sn.extractall(r"^VERDICT node=\S+ PASS ", printed))
        self.perf_variables = {"passing_nodes": sn.make_performance_function(passing, "nodes")}
        self.reference = {"*": {"passing_nodes": (self.num_tasks, 0, 0, "nodes")}}
        result = r"^RESULT .* check=(\S+) value=([0-9.e+]+) unit=(\S+) "
        lowest = {}
        for line in sn.extractall(result, printed, (1, 2, 3)).evaluate():
            check, value, unit = line
            key = (re.sub(r"\W", "_", check), unit)
            lowest[key] = min(float(value), lowest.get(key, float("inf")))
        for (check, unit), value in lowest.items():
            self.perf_variables[f"lowest_{check}"] = sn.make_performance_function(sn.defer(value), unit)
