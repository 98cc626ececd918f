"""The metrics of a fusion worker beyond those of every service."""

from typing import Final

from prometheus_client import Counter, Histogram

COMPARED: Final = Counter("interlock_pairs_compared_total", "Pairs of profiles compared")
COMPONENTS: Final = Counter(
    "interlock_components_changed_total", "Components changed, by whether members had to be read", ["path"]
)
ADOPTED: Final = Counter("interlock_workers_adopted_total", "Workers found gone, whose work was finished")
STEP_SECONDS: Final = Histogram(
    "interlock_fuse_step_seconds",
    "A batch's steps: parse, store, read, settle",
    ["step"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
