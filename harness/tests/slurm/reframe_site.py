"""The private Slurm as a ReFrame site. The scheduler is `squeue`: `slurm` asks sacct, which needs an accounting daemon."""

site_configuration = {
    "systems": [
        {
            "name": "private",
            "descr": "four slurmd on one host",
            "hostnames": [".*"],
            "modules_system": "nomod",
            "partitions": [
                {
                    "name": "accept",
                    "scheduler": "squeue",
                    "launcher": "srun",
                    "access": ["--partition=accept"],
                    "environs": ["builtin"],
                    "max_jobs": 4,
                }
            ],
        }
    ],
}
