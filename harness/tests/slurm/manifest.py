"""The Kubernetes template: strict schemas of several versions, offline, then what no schema sees; and that each of these
assertions can fail, by mutations of the manifest. Usage: manifest.py kubernetes.yaml"""

import copy
import sys

import kubernetes_validate
import yaml

VERSIONS = ["1.30", "1.33", "1.35", "1.37"]


def faults(documents):
    """What is wrong although every schema accepts it: free strings, and names that point nowhere."""
    jobs = [document["spec"] for document in documents if document["kind"] == "Job"]
    claims = {document["metadata"]["name"] for document in documents if document["kind"] == "PersistentVolumeClaim"}
    if len(jobs) != 1:
        return ["there is not one job"]
    job = jobs[0]
    pod = job["template"]["spec"]
    container = pod["containers"][0]
    environment = {entry["name"] for entry in container["env"]}
    policy = job["podFailurePolicy"]["rules"]
    volumes = {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    arguments = container["args"]
    deadline = int(arguments[arguments.index("--time-limit") + 1])
    held = {
        "the job is not indexed": job["completionMode"] == "Indexed",
        "a pod is restarted": pod["restartPolicy"] == "Never",
        "a second try overwrites a failure": job["backoffLimitPerIndex"] == 0,
        "not all nodes run at once": job["completions"] == job["parallelism"],
        "one bad node stops the others": job["maxFailedIndexes"] >= job["completions"],
        "two pods may share a node": any(
            term["topologyKey"] == "kubernetes.io/hostname"
            and term["labelSelector"]["matchLabels"].items() <= job["template"]["metadata"]["labels"].items()
            for term in pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        ),
        "files of nodes or jobs cannot be told apart": {"NODE_NAME", "RUN_ID"} <= environment,
        "a claim is not in the manifest": set(volumes.values()) <= claims,
        "the files do not land on the volume": all(volume in volumes for volume in mounts)
        and any(arguments[arguments.index("--out") + 1].startswith(path + "/") for path in mounts.values()),
        "two jobs write in one folder": "$(RUN_ID)" in arguments[arguments.index("--out") + 1],
        "the program cannot end before Kubernetes ends it": job["activeDeadlineSeconds"] > deadline,
        "a failure rule names another container": all(
            rule["onExitCodes"]["containerName"] == container["name"] for rule in policy if "onExitCodes" in rule
        ),
        "an exit code is ignored": all(rule["action"] != "Ignore" for rule in policy if "onExitCodes" in rule),
        "an exit code of a verdict is missing": any(
            {1, 2, 3, 4} <= set(rule["onExitCodes"]["values"]) for rule in policy if "onExitCodes" in rule
        ),
    }
    return [fault for fault, good in held.items() if not good]


def schema_errors(documents):
    """Errors of the strict schemas, none when all versions accept every document."""
    found = []
    for version in VERSIONS:
        for document in documents:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                found.append(f"{version}: {error}")
    return found


def job_of(documents):
    return next(document for document in documents if document["kind"] == "Job")["spec"]


def container_of(documents):
    return job_of(documents)["template"]["spec"]["containers"][0]


MUTATIONS = {
    "misspelt mode": lambda d: job_of(d).update(completionMode="Indxed"),
    "restarting pods": lambda d: job_of(d)["template"]["spec"].update(restartPolicy="Always"),
    "a second try": lambda d: job_of(d).update(backoffLimitPerIndex=1),
    "fewer at once": lambda d: job_of(d).update(parallelism=1),
    "few failures": lambda d: job_of(d).update(maxFailedIndexes=1),
    "other label": lambda d: job_of(d)["template"]["metadata"]["labels"].update(app="other"),
    "no node name": lambda d: container_of(d)["env"].pop(0),
    "other claim": lambda d: d[0]["metadata"].update(name="other"),
    "other mount": lambda d: container_of(d)["volumeMounts"][0].update(mountPath="/elsewhere"),
    "one folder": lambda d: container_of(d)["args"].__setitem__(-1, "/results/all"),
    "short deadline": lambda d: job_of(d).update(activeDeadlineSeconds=60),
    "ignored codes": lambda d: job_of(d)["podFailurePolicy"]["rules"][0].update(action="Ignore"),
    "other container": lambda d: container_of(d).update(name="other"),
    "code missing": lambda d: job_of(d)["podFailurePolicy"]["rules"][0]["onExitCodes"].update(values=[2, 4]),
    "misspelt key": lambda d: job_of(d).update(completion=4),
    "wrong type": lambda d: job_of(d).update(completions="four"),
}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    wrong = schema_errors(documents) + faults(documents)
    for name, mutate in MUTATIONS.items():
        mutated = copy.deepcopy(documents)
        mutate(mutated)
        if not schema_errors(mutated) and not faults(mutated):
            wrong.append(f"the mutation '{name}' was not seen")
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"manifest: {len(documents)} documents, schemas {', '.join(VERSIONS)}, {len(MUTATIONS)} mutations seen")
    return 1 if wrong else 0


sys.exit(main())
