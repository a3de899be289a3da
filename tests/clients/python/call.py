# python3 call.py SERVERS SCHEMAS: asks for a thread and prints it
import io, json, sys, uuid
from confluent_kafka import Consumer, Producer, TopicPartition
from fastavro import schemaless_reader, schemaless_writer

servers, folder = {"bootstrap.servers": sys.argv[1]}, sys.argv[2]
schema = lambda name: json.load(open(f"{folder}/{name}"))
command = next(c for c in schema("index.json") if c["command"] == "memory.getThreadById")
consumer, place = Consumer(servers | {"group.id": "unused"}), TopicPartition("mastra.replies", 0)
place.offset = consumer.get_watermark_offsets(place)[1]  # replies from now on
consumer.assign([place])

value, number = io.BytesIO(), uuid.uuid4().bytes
value.write(b"\xc3\x01" + bytes.fromhex(command["requestFingerprint"])[::-1])
schemaless_writer(value, schema(command["request"]), {"threadId": "trip"})
producer = Producer(servers | {"partitioner": "murmur2_random"})
producer.produce("mastra.commands.memory", value.getvalue(), key="trip", headers={
    "reply-to": "mastra.replies", "reply-partition": "0", "correlation-id": number})
producer.flush()

headers = {}
while headers.get("correlation-id") != number:
    headers = dict((reply := consumer.poll()).headers() or ())
reader = schema(command["reply"] if headers["status"] == b"ok" else "Error.avsc")
print(schemaless_reader(io.BytesIO(reply.value()[10:]), reader))
