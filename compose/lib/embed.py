"""Embeddings for the quickstart, computed without a model and without a network.

A text becomes a vector of 256 numbers with length 1. The script hashes its words, without their endings,
and each group of three letters in them to places of the vector. A feature that fewer sentences have gets
more weight. Texts that share rare words or parts of words get similar vectors. Unlike a model, this knows
no meanings: "car" and "automobile" are not similar. The same text always gives the same vector.

    embed.py --dimension
    embed.py SENTENCES INDEX
        print lines for `stowage send`: vectors.upsert of all sentences
    embed.py SENTENCES INDEX QUESTION [TOPIC]
        print the request of vectors.query for the question, optionally within one topic
"""

import hashlib
import json
import math
import re
import sys

DIMENSION = 256
BATCH = 50  # sentences per command
NEAREST = 5
WORD_WEIGHT, PART_WEIGHT = 1.0, 0.3
ENDINGS = ("ing", "ers", "er", "es", "ed", "ly", "s", "e")
SMALL_WORDS = frozenset(
    "a an and are as at be because been before by can could did do does for from had has have her his how i "
    "if in into is it its itself me more most no not of off on one only or our out so some than that the "
    "their them there they this those to too until up was we were what when where which while who whom whose "
    "why will with you your".split()
)


def stem(word):
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def features(text):
    """Yields each word and each part of a word with its weight within the text."""
    for word in re.findall(r"\w+", text.lower()):
        if word in SMALL_WORDS:
            continue
        word = stem(word)
        yield "word " + word, WORD_WEIGHT
        framed = f"<{word}>"
        for at in range(len(framed) - 2):
            yield "part " + framed[at : at + 3], PART_WEIGHT


def rarity(texts):
    """Returns a function for the weight of a feature: the more texts have it, the smaller."""
    count = {}
    for text in texts:
        for feature in {name for name, _ in features(text)}:
            count[feature] = count.get(feature, 0) + 1
    return lambda feature: math.log((len(texts) + 1) / (count.get(feature, 0) + 1)) + 1


def embed(text, weigh):
    vector = [0.0] * DIMENSION
    for feature, weight in features(text):
        digest = hashlib.sha256(feature.encode()).digest()
        # Two places per feature make it unlikely that two features share all of theirs.
        for at in (0, 4):
            place = int.from_bytes(digest[at : at + 3], "big") % DIMENSION
            vector[place] += weight * weigh(feature) * (1 if digest[at + 3] & 1 else -1)
    length = math.sqrt(sum(number * number for number in vector))
    return [round(number / length, 6) for number in vector] if length else vector


def read(name):
    """Returns (topic, sentence) pairs; a line that begins with # starts a topic."""
    topic, found = "", []
    with open(name, encoding="utf-8") as file:
        for line in map(str.strip, file):
            if line.startswith("#"):
                topic = line[1:].strip()
            elif line:
                found.append((topic, line))
    return found


def upserts(sentences, index, weigh):
    for begin in range(0, len(sentences), BATCH):
        part = sentences[begin : begin + BATCH]
        request = {
            "indexName": index,
            "ids": [f"s{begin + number:03}" for number in range(1, len(part) + 1)],
            "vectors": [embed(text, weigh) for _, text in part],
            "metadata": [{"text": text, "topic": topic} for topic, text in part],
        }
        print("vectors.upsert", json.dumps(request))


def main(arguments):
    if arguments == ["--dimension"]:
        print(DIMENSION)
        return
    if not 2 <= len(arguments) <= 4:
        sys.exit(__doc__)
    sentences = read(arguments[0])
    weigh = rarity([text for _, text in sentences])
    if len(arguments) == 2:
        upserts(sentences, arguments[1], weigh)
    else:
        request = {"indexName": arguments[1], "queryVector": embed(arguments[2], weigh), "topK": NEAREST}
        if len(arguments) == 4:
            request["filter"] = {"topic": arguments[3]}
        print(json.dumps(request))


main(sys.argv[1:])
