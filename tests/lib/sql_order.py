"""Checks that a statement with LIMIT, or with an order that the request chooses, has one order only.

    sql_order.py FILE...

Rows that compare equal in ORDER BY come in any order, and in another one for another LIMIT or OFFSET, so
pages lose rows and repeat others. An ORDER BY with a LIMIT therefore names all columns of a key of its
table. The last column of the key has the direction of the first item, so that an order and its reverse
mirror each other. Prints "FILE:LINE: what breaks the rule" for each violation.

The files are .sql and .c; in C the text of neighbouring string literals counts. Keys are read from db/ddl.
"""

import pathlib
import re
import sys

ORDER = re.compile(r"\bORDER\s+BY\b(?P<items>(?:(?!\bORDER\s+BY\b|;).)*?)\bLIMIT\b", re.DOTALL)
# Where the request chooses the order; the generator adds LIMIT.
CHOSEN = re.compile(r"\bORDER\s+BY\b(?P<items>[^\n]*:\{order[^\n]*)")
COMMENT = re.compile(r"--[^\n]*")
NEXT_STATEMENT = re.compile(r"^-- statement:[^\n]*", re.MULTILINE)
LITERALS = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
ROW_KEY = re.compile(r'^\t"?(\w+)"? [^\n]*\bPRIMARY KEY\b', re.MULTILINE)
TABLE_KEY = re.compile(r"\b(?:PRIMARY KEY|UNIQUE) \(([^)]*)\)")
DIRECTION = re.compile(r"\b(ASC|DESC)\b|(%s)")

# A vector table is no table of db/ddl. Its ids are unique within a namespace, and a query reads one.
VECTOR_KEY = frozenset(["vector_id"])
# The order of a vector index, which ends with the distance. Its rows are sorted again outside.
INDEX_ORDERS = {"%s"}


def keys():
    """The keys of all tables: sets of column names."""
    found = {VECTOR_KEY}
    for path in pathlib.Path("db/ddl").glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        found.update(frozenset([name]) for name in ROW_KEY.findall(text))
        found.update(frozenset(re.findall(r"\w+", columns)) for columns in TABLE_KEY.findall(text))
    return found


def items(text):
    """The items of an ORDER BY: what commas outside of parentheses part."""
    found, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            found.append(text[start:at])
            start = at + 1
    return [item.strip() for item in [*found, text[start:]]]


def column(item):
    """The column that an item orders by, or None for an expression."""
    match = re.match(r'(?:\w+\.)?"?(\w+)"?(?:\s|$)', item)
    return match and match.group(1)


def direction(item):
    match = DIRECTION.search(re.sub(r'"[^"]*"|\'[^\']*\'', "", item))
    return match.group() if match else "ASC"


def fault(text, known):
    """What is wrong with the items of an ORDER BY, or None."""
    parts = items(text)
    named = [column(part) for part in parts]
    covered = [key for key in known if key <= set(named)]
    if text.strip() in INDEX_ORDERS:
        return None
    if not covered:
        return f"ORDER BY {' '.join(text.split())}: end it with a key of the table, or pages lose rows"
    last = max(index for index, name in enumerate(named) if any(name in key for key in covered))
    # Where the request chooses the direction, the first item does not tell it.
    if not parts[0].startswith("CASE") and ":{order" not in text and direction(parts[last]) != direction(parts[0]):
        return f"ORDER BY {' '.join(text.split())}: give the key the direction of the first item"
    return None


def statements(path):
    """(line, text) of the SQL in a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield 1, COMMENT.sub("", NEXT_STATEMENT.sub(";", text))
        return
    for match in LITERALS.finditer(text):
        joined = "".join(LITERAL.findall(match.group())).replace('\\"', '"')
        yield text.count("\n", 0, match.start()) + 1, joined


def main():
    known = keys()
    for name in sys.argv[1:]:
        for line, text in statements(pathlib.Path(name)):
            for match in [*ORDER.finditer(text), *CHOSEN.finditer(text)]:
                found = fault(match.group("items"), known)
                if found:
                    print(f"{name}:{line + text.count(chr(10), 0, match.start())}: {found}")


if __name__ == "__main__":
    main()
