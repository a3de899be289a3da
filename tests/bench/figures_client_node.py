"""The figures of the npm package for Mastra (schemas/clients/node), by the programs of tests/clients/mastra."""

import json
from statistics import median

from ground import ROOT, run, say
from result import Result

PROGRAMS = ROOT / "tests" / "clients" / "mastra"
TURNS = 20  # of the agent
WARM_UP = 3000  # calls: Node compiles hot code, as it has done in a process that runs for long


def program(ground, *words, **environment):
    """Runs a program to its end; its last line is JSON."""
    env = {**ground.env, "TZ": "UTC", **environment}
    return json.loads(run([ground.node, *words], cwd=PROGRAMS, env=env).strip().splitlines()[-1])


def options(ground, topic, replies):
    servers = ground.env["STOWAGE_KAFKA_BOOTSTRAP_SERVERS"].split(",")
    return json.dumps({"brokers": servers, "topics": topic, "replyTopic": replies})


def agent_ms(ground, store, settings):
    """An agent's turns, in a store without its earlier conversation."""
    ground.sql(f"""DELETE FROM "{ground.schema}".mastra_messages; DELETE FROM "{ground.schema}".mastra_threads WHERE id = 'trip';
        DROP TABLE IF EXISTS "{ground.schema}".memory_messages_8""")
    return program(ground, "apps/agent.mjs", TURNS, APP_STORE=store, APP_OPTIONS=settings)["took"]


def client_node(ground, size):
    """Calls one at a time, commands that nobody waits for, and an agent's turns."""
    run([PROGRAMS / "install"], env=ground.env)
    topic, replies = ground.topic(4), ground.topic(4, replies=True)
    kafka = options(ground, topic, replies)
    unread = options(ground, ground.topic(4), replies)  # no worker drains it, which would weigh on what comes next
    postgres = json.dumps({"connectionString": ground.env["STOWAGE_POSTGRES_CONNECTION_STRING"], "schemaName": ground.schema})
    c_us, node_us, rates, kafka_ms, pg_ms = [], [], [], [], []
    with ground.worker(topic):
        for turn in range(1 - size.skipped, size.turns + 1):
            c_us.append(ground.ask(topic, replies, size.ask, 1, 50)["median_us"])
            node_us.append(program(ground, "figures.mjs", "ask", kafka, size.ask, WARM_UP)["median_us"])
            rates.append(program(ground, "figures.mjs", "forget", unread, size.drain // 2)["rate"])
            kafka_ms.append(agent_ms(ground, "kafka", kafka))
            pg_ms.append(agent_ms(ground, "pg", postgres))
            say(f"  turn {turn}: C {c_us[-1]:.0f} us, Node {node_us[-1]:.0f} us, {rates[-1]:.0f} a second, "
                f"agent {kafka_ms[-1]:.0f} ms, on PostgresStore {pg_ms[-1]:.0f} ms")
    for values in (c_us, node_us, rates, kafka_ms, pg_ms):
        del values[:size.skipped]
    yield Result("client-node", "median of getThreadById one at a time through KafkaStore, of the C client's",
                 median(node / c for node, c in zip(node_us, c_us)), "<=", 1.5, {"Node us": node_us, "C us": c_us})
    yield Result("client-node-forget", "saveMessages that nobody waits for through KafkaStore, a second",
                 median(rates), ">=", 20000, {"rates": rates})
    yield Result("client-node-agent", f"{TURNS} turns of an agent on KafkaStore, of the time on PostgresStore",
                 median(kafka / pg for kafka, pg in zip(kafka_ms, pg_ms)), "<=", 1.3, {"Kafka ms": kafka_ms, "PostgresStore ms": pg_ms})


FIGURES = {"client-node": client_node}
