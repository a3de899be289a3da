"""What a figure returns, how much it measures, and the comparison of two sides in alternation."""

from dataclasses import dataclass, field
from statistics import median

from ground import say

LIMIT_KIB = 64 * 1024


@dataclass
class Result:
    name: str
    text: str      # what the number means
    value: float
    sense: str     # ">=" or "<="
    target: float
    raw: dict = field(default_factory=dict)

    @property
    def met(self):
        return self.value >= self.target if self.sense == ">=" else self.value <= self.target


@dataclass
class Size:
    """How much each figure measures; --quick only shows that everything runs."""
    turns: int = 5
    warm_up: int = 40_000  # messages through the broker in advance: its Java is slow until it is warm
    skipped: int = 4  # first rounds that do not count, for the same reason
    drain: int = 200_000
    ask: int = 1_000
    ask_many: int = 20_000
    few: int = 10_000
    many: int = 1_000_000
    node_spans: int = 40_000
    domain_writes: int = 2_000
    some_spans: int = 100_000
    tenants: int = 1_000
    tenants_warm_up: int = 48_000  # some six traces a tenant
    tenant_spans: int = 100_000
    flood: int = 500_000
    ask_ms: int = 5_000
    vectors: int = 20_000
    dimensions: int = 1_536
    hnsw_turns: int = 3  # rounds of upserts that take a minute or more
    queries: int = 200  # distinct vectors to search for
    ask_vectors: int = 400
    ask_node: int = 400  # queries for a Node worker, besides 50 for its warm-up


QUICK = Size(turns=1, warm_up=0, skipped=0, drain=10_000, ask=100, ask_many=1_000, few=1_000, many=20_000,
             node_spans=8_000, domain_writes=200, some_spans=8_000, tenants=10, tenants_warm_up=2_000, tenant_spans=8_000, flood=60_000, ask_ms=700,
             vectors=2_000, dimensions=64, hnsw_turns=1, queries=50, ask_vectors=100, ask_node=100)


def rounded(values, digits=0):
    return [round(value, digits) if digits else round(value) for value in values]


def cost_text(took):
    return (f"{took['rate']:.0f}/s, processor us a command: own {took['worker_us']:.1f}, "
            f"PostgreSQL {took['postgres_us']:.1f}, Kafka {took['kafka_us']:.1f}"
            + (f"; highest memory {took['hwm_kib']} KiB" if "hwm_kib" in took else ""))


def all_us(took):
    return took["worker_us"] + took["postgres_us"] + took["kafka_us"]


def versus(size, name, other, worker):
    """Runs both sides in alternation; returns the median of the worker's rate by the other's, and the raw numbers."""
    runs = {name: [], "worker": []}
    for turn in range(1 - size.skipped, size.turns + 1):
        runs[name].append(other())
        runs["worker"].append(worker())
        for who, took in runs.items():
            say(f"  turn {turn}: {who}: " + cost_text(took[-1]))
    for took in runs.values():
        del took[:size.skipped]
    raw = {}
    for who, took in runs.items():
        raw[f"{who} a second"] = rounded(run["rate"] for run in took)
        raw[f"{who}: processor us a command, its own, PostgreSQL's, Kafka's"] = [
            rounded((run["worker_us"], run["postgres_us"], run["kafka_us"]), 1) for run in took]
        if "hwm_kib" in took[0]:
            raw[f"{who}: highest KiB"] = [run["hwm_kib"] for run in took]
    pairs = list(zip(runs["worker"], runs[name]))
    # Estimates the ratio of the rates on a machine that has nothing else to do.
    raw[f"processor time of all, {name}'s of worker's"] = round(median(
        all_us(theirs) / all_us(ours) for ours, theirs in pairs), 2)
    return median(ours["rate"] / theirs["rate"] for ours, theirs in pairs), raw
