"""The figure of tenants: createSpan for many schemas, against the same load for one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ground import LARGE_BATCHES, STOWAGE, Failed, run
from result import Result, versus

LIVE_TRACES = 256  # that take turns in the load


def make_tenants(ground, size):
    """Makes the schemas of the tenants; returns what their names begin with."""
    prefix = f"{ground.schema}_t"

    def make(number):
        run([STOWAGE, "init", "--tenant", f"{prefix}{number}"], env=ground.worker_env)

    with ThreadPoolExecutor(LARGE_BATCHES) as pool:
        list(pool.map(make, range(size.tenants)))
    return prefix


def drop_tenants(ground, size, prefix):
    if not ground.own_stack:
        for number in range(size.tenants):
            ground.sql(f'DROP SCHEMA "{prefix}{number}" CASCADE')


class Spans:
    """New spans, the first of which warm a new worker up: it and its sessions read the catalog of each tenant."""

    def __init__(self, ground, size, prefix):
        self.ground, self.size, self.prefix, self.first = ground, size, prefix, 0

    def rows(self, tenants):
        """The number of the spans of the first `tenants` tenants."""
        return int(self.ground.sql(f"""
            SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.mastra_ai_spans',
                '{self.prefix}' || i), false, true, '')))[1]::text::int) FROM generate_series(0, {tenants - 1}) AS i"""))

    def drained(self, tenants):
        ground, warm = self.ground, self.size.tenants_warm_up
        count = warm + self.size.tenant_spans
        topic = ground.topic(4)
        ground.fill(topic, "createSpan", count, "--live", LIVE_TRACES, "--tenants", tenants, "--tenant", self.prefix,
                    first=self.first)
        self.first += count
        if tenants == 1:
            ground.sql(f'TRUNCATE "{self.prefix}0".mastra_ai_spans')
        ground.sql("CHECKPOINT", ground.env["STACK_POSTGRES_ADMIN"])
        before = self.rows(tenants)
        with ground.worker(topic, STOWAGE_POSTGRES_SCHEMAS=f"{self.prefix}[0-9]+") as worker:
            took = ground.drain(worker, count, after=warm)
        rows = self.rows(tenants) - before
        if rows != count:
            raise Failed(f"{rows} spans are there instead of {count}")
        return took


def tenants(ground, size):
    """Drain of createSpan for many tenants against the same for one."""
    prefix = make_tenants(ground, size)
    spans = Spans(ground, size, prefix)
    value, raw = versus(replace(size, skipped=min(size.skipped, 1)), "one tenant",
                        lambda: spans.drained(1), lambda: spans.drained(size.tenants))
    drop_tenants(ground, size, prefix)
    yield Result("tenants", f"createSpan drained a second for {size.tenants} tenants, of one tenant's", value, ">=", 0.6, raw)


FIGURES = {"tenants": tenants}
