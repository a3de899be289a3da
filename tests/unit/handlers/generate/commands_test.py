#!/usr/bin/env python3
"""Tests of handlers/generate/commands.py: its output for valid declarations, its messages for wrong ones.

Prints a summary line like Criterion's, which tests/run reads.
"""

import contextlib
import io
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "handlers/generate"))
import commands
from reference import BEGIN, END

THING = {"type": "record", "name": "Thing", "namespace": "mastra.shop", "fields": [
    {"name": "id", "type": "string"},
    {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}]}
ERROR = {"type": "record", "name": "Error", "namespace": "mastra", "fields": [{"name": "code", "type": "string"}]}
SQL = """-- key: thing.id
-- reply: row
-- flags: read
-- params: thing.id, thing.tags, limit:int8,
--   @now
-- missing: THING_NOT_FOUND There is no {thing.id}
-- A free comment: the statement's $5 is not meant
SELECT id -- the $6 of a comment
FROM :"schema".things WHERE id = $1::text AND '$7' <> ANY ($2::text[])
LIMIT $3::int8 + extract(epoch from $4::timestamptz);
"""


def records(request_fields, result):
    return [{"type": "record", "name": "GetIt", "namespace": "mastra.shop", "fields": request_fields},
            {"type": "record", "name": "GetItReply", "namespace": "mastra.shop",
             "fields": [{"name": "result", "type": result}]}]


FIELDS = [{"name": "thing", "type": "mastra.shop.Thing"}, {"name": "limit", "type": ["null", "int"], "default": None}]
FILES = {
    "schemas/Error.avsc": ERROR,
    "schemas/store.json": {"shop": {"open": True}},
    "schemas/asyncapi.json": {},
    "schemas/domains/shop/types.avsc": [THING],
    "schemas/domains/shop/GetIt.avsc": records(FIELDS, ["null", "Thing"]),
    "handlers/domains/shop/getIt.sql": SQL,
}


def changed(text, old, new):
    assert old in text, old
    return text.replace(old, new)


def fields_with(**change):
    return records([FIELDS[0], {"name": "limit", "type": "int", **change}], ["null", "Thing"])


def sql_with(old, new):
    return {"handlers/domains/shop/getIt.sql": changed(SQL, old, new)}


HANDLED = "-- reply: custom\n-- flags: write fold\n-- handler: shop_get_it\n"

FOLDED = """-- reply: row
-- flags: write fold
-- distinct: thing.id
-- error: TAKEN CONFLICT there is {thing.id} already
SELECT given.place, 'TAKEN' AS error FROM given WHERE :{thing.id} <> '' AND :{limit} > 0 AND :{@now} < now()
"""
PAGE = """-- reply: page
-- flags: read
-- page: 50
-- order: strict name DESC, id
SELECT t.id FROM :"schema".things AS t WHERE t.id = :{thing.id}
ORDER BY :{order t}, t.id
"""

# A change of FILES (None: no such file), and a part of the message that it causes.
WRONG = [
    ({"schemas/domains/shop/GetIt.avsc": "[\n{,\n]"}, "GetIt.avsc:2: not JSON"),
    ({"schemas/domains/shop/GetIt.avsc": '[{"type": "record",\n"type": "record"}]'}, "GetIt.avsc:1: \"type\" occurs twice"),
    ({"schemas/domains/shop/GetIt.avsc": {}}, "must be a JSON array of records"),
    ({"schemas/domains/shop/GetIt.avsc": records(FIELDS, "null")[:1]}, "must contain exactly the records GetIt and GetItReply"),
    ({"schemas/domains/shop/GetIt.avsc": None}, "getIt.sql:1: the command needs"),
    ({"handlers/domains/shop/getIt.sql": None}, "GetIt.avsc:1: the command needs"),
    ({"schemas/Error.avsc": THING}, "does not define mastra.Error"),
    ({"schemas/domains/shop/types.avsc": [THING, THING]}, "mastra.shop.Thing is already defined"),
    ({"schemas/domains/shop/types.avsc": []}, "unknown type mastra.shop.Thing"),
    ({"schemas/domains/shop/types.avsc": [{**THING, "namespace": "mastra.other"}]}, 'must be a record of "namespace": "mastra.shop"'),
    ({"schemas/domains/shop/types.avsc": [{**THING, "colour": "red"}]}, 'unknown word "colour"'),
    ({"schemas/domains/shop/types.avsc": [{**THING, "fields": [{"name": "self", "type": ["null", "Thing"]}]}]}, "contains itself"),
    ({"schemas/domains/shop/types.avsc": [{**THING, "fields": THING["fields"] + [{"name": "id", "type": "int"}]}]}, "field id occurs twice"),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(defualt=1)}, 'unknown word "defualt"'),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(default="1")}, "the default of limit is not of type int"),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(default=2**31)}, "the default of limit is not of type int"),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(type=["null", "int"], default=1)}, 'the default of limit must be null'),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(type={"type": "string", "logicalType": "json"}, default="{")}, "is not JSON text"),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(type=["int", "string"])}, 'a union must be ["null", T]'),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(type={"type": "enum", "name": "E", "symbols": []})}, "type enum is not supported"),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(type={"type": "int", "logicalType": "date"})}, "logicalType date on int is not supported"),
    ({"schemas/domains/shop/GetIt.avsc": records(FIELDS, "null")}, 'reply "row" does not fit the result type null'),
    (sql_with("-- key: thing.id", "-- key: thing.no"), 'getIt.sql:1: "thing.no" does not exist in mastra.shop.GetIt'),
    (sql_with("-- key: thing.id", "-- key: thing"), "the key thing is not a string"),
    (sql_with("-- key: thing.id", "-- key: thing.id[0]"), "id is not an array"),
    (sql_with("-- key:", "-- keys:"), 'getIt.sql:1: unknown word "keys"'),
    (sql_with("-- key: thing.id", "-- key:"), '"key" has no value'),
    (sql_with("-- reply: row", "-- key: limit"), '"key" is given twice'),
    (sql_with("-- reply: row", "-- reply: rowz"), '"-- reply:" is required'),
    (sql_with("-- reply: row\n", ""), '"-- reply:" is required'),
    (sql_with("-- reply: row", "-- reply: custom"), "reply custom needs a C function"),
    (sql_with("-- reply: row", "-- reply: none"), 'reply "none" does not fit'),
    (sql_with("-- flags: read", "-- flags: read write"), "exactly one of read and write"),
    (sql_with("-- flags: read", "-- flags: detached"), "exactly one of read and write"),
    (sql_with("-- flags: read", "-- flags: read fast"), 'flag "fast" is unknown'),
    (sql_with("-- flags: read", "-- flags: read read"), "given twice"),
    (sql_with("-- flags: read", "-- flags: write fold"), "the flag fold with named parameters needs"),
    (sql_with("-- flags: read", "-- flags: write detached"), "the flag detached is for reads"),
    (sql_with("-- flags: read", "-- flags: read outside detached"), "the flag outside excludes fold and detached"),
    (sql_with("-- flags: read", "-- flags: read\n-- fold: its"), 'getIt.sql:4: "-- fold: group" needs the flag fold'),
    (sql_with("limit:int8,", "limit:int9,"), "limit is int and cannot be bound as int9"),
    (sql_with("limit:int8,", "limit:jsonb,"), "limit is int and cannot be bound as jsonb"),
    ({**sql_with("limit:int8,", "limit,"), "schemas/domains/shop/GetIt.avsc": fields_with(type={"type": "map", "values": "string"})},
     "limit is map<string>, which has no PostgreSQL type"),
    (sql_with("limit:int8,", "thing:text,"), "thing is record and cannot be bound as text"),
    (sql_with("limit:int8,", "thing.no,"), '"thing.no" does not exist'),
    (sql_with("--   @now", "--   @now, limit"), "the statement has 4 parameters, but params lists 5"),
    (sql_with("--   @now", "--   @now:text"), "@now is a timestamptz"),
    (sql_with("$3", "$5"), "parameter $3 is not used"),
    (sql_with("LIMIT", "; LIMIT"), "getIt.sql:8: one statement only"),
    (sql_with("{thing.id}", "{thing.no}"), '"thing.no" does not exist'),
    (sql_with("THING_NOT_FOUND", "thing"), 'use the form "-- missing: '),
    (sql_with("SELECT", "-- flags: read\nSELECT"), 'the header line "flags" belongs to the top'),
    (sql_with("-- params", "-- handler: shop_get_it\n-- params"), "a command with a handler binds its parameters itself"),
    (sql_with("-- params", "-- handler: no-name\n-- params"), "is not a name of a C function"),
    ({"handlers/domains/shop/getIt.sql": SQL + "-- statement: more\nSELECT 1\n"}, "a command without a handler needs one statement"),
    ({"handlers/domains/shop/getIt.sql": HANDLED + "-- statement: a\nSELECT 1\n-- statement: a\nSELECT 2\n"}, '"a" is used twice'),
    ({"handlers/domains/shop/getIt.sql": HANDLED + "-- statement: a\n-- nothing\n"}, "statement a is empty"),
    ({"handlers/domains/shop/getIt.sql": HANDLED + "SELECT 1\n-- use: a\n"}, 'part "a" needs'),
    ({"handlers/domains/shop/getIt.sql": HANDLED + "SELECT 1\n-- part: a\nWHERE true\n"}, 'part "a" needs'),
    ({"handlers/domains/shop/getIt.sql": HANDLED + "SELECT 1\n-- use: a\n-- part: a\n-- part: a\n"}, 'part name "a" is used twice'),
    ({"handlers/domains/shop/getIt.sql": HANDLED + "SELECT 1\n-- use: a\n-- part: a\n-- use: a\n"}, "a part cannot use another part"),
    ({"handlers/domains/shop/getIt.sql": FOLDED.replace("distinct: thing.id", "distinct: limit")}, "limit is not a string"),
    ({"handlers/domains/shop/getIt.sql": FOLDED.replace("distinct: thing.id", "distinct: thing.id limit")}, "limit is not a string"),
    ({"handlers/domains/shop/getIt.sql": FOLDED.replace("-- error: TAKEN CONFLICT", "-- error: TAKEN")}, 'use the form "-- error: '),
    ({"handlers/domains/shop/getIt.sql": FOLDED.replace("{thing.id}", "{thing.no}")}, '"thing.no" does not exist'),
    ({"handlers/domains/shop/getIt.sql": FOLDED.replace(":{limit}", ":{limit:text}")}, "limit is int and cannot be bound as text"),
    ({"handlers/domains/shop/getIt.sql": FOLDED.replace(":{limit}", "$1")}, "use one way in a statement"),
    ({"handlers/domains/shop/getIt.sql": FOLDED.replace(":{limit}", ":{thing.tags:text[]}")}, "thing.tags cannot be a text[] here"),
    ({"handlers/domains/shop/getIt.sql": PAGE.replace("-- page: 50\n", "")}, 'reply page needs "-- page: size"'),
    ({"handlers/domains/shop/getIt.sql": PAGE.replace("name DESC", "name DOWN")}, 'reply page needs "-- page: size"'),
    ({"handlers/domains/shop/getIt.sql": PAGE.replace("\nORDER BY", " ORDER BY")}, "a page needs one SELECT"),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(words=["a"])}, "only a string, or an array of strings, has words"),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(type=["null", "int"], absent="none")}, '"absent" of limit is for nullable'),
    ({"schemas/domains/shop/GetIt.avsc": fields_with(absent="null")}, '"absent" of limit is for nullable'),
    (sql_with("-- flags: read", "-- flags: read\n-- options: limit"), "the flag positional is missing"),
    (sql_with("-- flags: read", "-- flags: read\n-- codes: No, NO"), '"No" is no code'),
    ({"schemas/history/shop/GetIt.avsc": {**records([], "null")[0]}}, "thing is new and has no default"),
    ({"schemas/history/shop/GetIt.avsc": {**THING, "name": "Unknown"}}, "must be the complete request record of an existing command"),
    ({"schemas/history/shop/GetIt.avsc": records([{"name": "thing", "type": "string"}], "null")[0]},
     "thing was string and is now record"),
]


def write(root, files):
    for name, content in files.items():
        if content is not None:
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))


def run(files):
    """Returns the generator's messages about these files ("" if they are valid), and its outputs by name."""
    with tempfile.TemporaryDirectory() as root:
        write(root, files)
        out = Path(root, "out")
        out.mkdir()
        (out / "schema_table.c").write_text("stale")
        said = ""
        try:
            commands.main([root, str(out)])
        except SystemExit as end:
            said = str(end)
        return said, {path.name: path.read_text() for path in out.iterdir()}


class Generate(unittest.TestCase):
    maxDiff = None

    def test_right(self):
        said, out = run(FILES)
        self.assertEqual(said, "")
        table, statements = out["command_table.c"], out["statement_table.c"]
        self.assertIn('{ { "thing.id", "text" }, { "thing.tags", "text[]" }, { "limit", "int8" }, { "@now", "timestamptz" } }', statements)
        self.assertIn('{ COMMAND_ID_SHOP_GET_IT, "shop.getIt", "shop", "getIt", "thing.id",\n\t\tCOMMAND_READ, 0, REPLY_ROW, handle_generic, 0, 1,\n'
                      '\t\t"THING_NOT_FOUND", "There is no {thing.id}",\n\t\tNULL, NULL, NULL, NULL }', table)
        self.assertIn("\t\t4, shop_getIt_0_params }", statements)
        self.assertNotIn("of a comment", statements)
        self.assertNotIn(";\\n", statements)
        self.assertIn("SQL_SHOP_GET_IT,", out["commands.gen.h"])
        self.assertIn("SHOP_THING__TAGS,\n\tSHOP_THING_SIZE\n", out["fields.gen.h"])
        self.assertIn("ERROR__CODE,", out["fields.gen.h"])

    def test_fold_groups(self):
        put = json.loads(json.dumps(FILES["schemas/domains/shop/GetIt.avsc"]).replace("GetIt", "PutIt"))
        grouped = HANDLED.replace("fold\n", "fold\n-- fold: its\n")
        both = {**FILES, "schemas/domains/shop/PutIt.avsc": put, "handlers/domains/shop/getIt.sql": HANDLED, "handlers/domains/shop/putIt.sql": HANDLED}
        self.assertIn("COMMAND_WRITE | COMMAND_FOLD, 1,", run(both)[1]["command_table.c"], "each is a group of its own")
        both.update({"handlers/domains/shop/getIt.sql": grouped, "handlers/domains/shop/putIt.sql": grouped})
        self.assertNotIn("COMMAND_WRITE | COMMAND_FOLD, 1,", run(both)[1]["command_table.c"])
        both["handlers/domains/shop/putIt.sql"] = grouped.replace("shop_get_it", "shop_put_it")
        self.assertIn("shop.putIt and shop.getIt are in one fold group", run(both)[0])

    def test_schemas_are_complete(self):
        twice = records([*FIELDS, {"name": "other", "type": "Thing"}], ["null", "Thing"])
        _, out = run({**FILES, "schemas/domains/shop/GetIt.avsc": twice})
        text = out["schema_table.c"].replace('"\n\t\t\t"', "").replace('"\n\t\t"', "").replace('\\"', '"')
        self.assertIn('{"name":"other","type":"mastra.shop.Thing"}', text)
        self.assertEqual(text.count('"name":"Thing"'), 2, "once in the request, once in the reply")

    def test_what_clients_are_told(self):
        header = "-- flags: read positional\n-- options: limit\n-- codes: SHOP_SHUT\n"
        said, out = run({**FILES, "handlers/domains/shop/getIt.sql": changed(SQL, "-- flags: read\n", header)})
        self.assertEqual(said, "")
        table = re.sub(r'"\n\t+"', "", out["schema_table.c"]).replace('\\"', '"')
        entry = {"topic": "mastra.commands.shop", "flags": ["read"], "errors": ["SHOP_SHUT", "THING_NOT_FOUND"], "key": "thing.id",
                 "parameters": ["thing", ["limit"]], "example": {"thing": {"id": "id-1"}}}
        self.assertIn(json.dumps(entry, separators=(",", ":")), table)
        self.assertIn('],"absent":"null","doc":"The Thing, or null if there is none."}]', table)
        self.assertIn('{"shop":{"open":true}}', table)

    def test_documentation(self):
        docs = {"schemas/docs/commands.json": {"*.getIt": "Gets it."}, "schemas/docs/records.json": {"Thing": "A thing."},
                "schemas/docs/fields.json": {"id": "Any.", "shop.Thing.id": "Its id.", "t*": "Some.", "limit": "How many.", "other": "No."},
                "schemas/docs/examples.json": {"fields": {"shop.id": "x"}, "commands": {}}}
        said, out = run({**FILES, **docs})
        self.assertEqual(said, "")
        table = re.sub(r'"\n\t+"', "", out["schema_table.c"]).replace('\\"', '"')
        self.assertIn('"doc":"Gets it."', table)
        self.assertIn('{"name":"id","type":"string","doc":"Its id."}', table)
        self.assertIn('"example":{"thing":{"id":"x"}}', table)
        with tempfile.TemporaryDirectory() as root:
            write(root, {**FILES, **docs})
            with self.assertRaises(SystemExit) as end:
                commands.main(["--check-docs", root])
            self.assertIn("nothing is named other: remove it", str(end.exception))
            write(root, {"schemas/docs/fields.json": {}})
            with self.assertRaises(SystemExit) as end:
                commands.main(["--check-docs", root])
            self.assertIn("mastra.shop.Thing.tags has no documentation", str(end.exception))

    def test_statements(self):
        sql = HANDLED + "-- statement: touch\nUPDATE x SET y = $1\n-- statement: other\nDELETE FROM x;\n"
        said, out = run({**FILES, "handlers/domains/shop/getIt.sql": sql})
        self.assertEqual(said, "")
        self.assertIn("SQL_SHOP_GET_IT__TOUCH,\n\tSQL_SHOP_GET_IT__OTHER,", out["commands.gen.h"])
        self.assertIn('"shop.getIt:touch", "UPDATE x SET y = $1",\n\t\t1, NULL', out["statement_table.c"])
        self.assertIn("handler_fn shop_get_it;", out["commands.gen.h"])

    def test_parts(self):
        sql = HANDLED + ("-- statement: touch\nUPDATE x SET y = $1\n-- use: known\n-- part: known\nWHERE z = $2\n"
                         "-- statement: other\nDELETE FROM x\n-- use: known\n  AND y = $1\n")
        said, out = run({**FILES, "handlers/domains/shop/getIt.sql": sql})
        self.assertEqual(said, "")
        self.assertIn('"UPDATE x SET y = $1\\n"\n\t\t"WHERE z = $2",\n\t\t2, NULL', out["statement_table.c"])
        self.assertIn('"DELETE FROM x\\n"\n\t\t"WHERE z = $2\\n"\n\t\t"  AND y = $1",\n\t\t2, NULL', out["statement_table.c"])

    def test_shared_parts(self):
        parts = "-- part: inner\nz = 1\n-- part: outer\nWHERE x = 2 AND\n-- use: inner\n"
        sql = HANDLED + "-- statement: touch\nUPDATE t SET y = 1\n-- use: outer\n"
        said, out = run({**FILES, "handlers/domains/shop/parts.sql": parts, "handlers/domains/shop/getIt.sql": sql})
        self.assertEqual(said, "")
        self.assertIn('"UPDATE t SET y = 1\\n"\n\t\t"WHERE x = 2 AND\\n"\n\t\t"z = 1"', out["statement_table.c"])
        self.assertIn('part "later" is not declared above', run({**FILES, "handlers/domains/shop/parts.sql": "-- part: outer\n-- use: later\n"})[0])

    def test_named_parameters_of_a_handler(self):
        sql = HANDLED.replace(" fold", "") + "-- statement: touch\nUPDATE t SET y = 1 WHERE id = :{thing.id}\n-- statement: own\nSELECT $1\n"
        said, out = run({**FILES, "handlers/domains/shop/getIt.sql": sql})
        self.assertEqual(said, "")
        self.assertIn('WHERE id = $1::text",\n\t\t1, shop_getIt_0_params', out["statement_table.c"])
        self.assertIn('"SELECT $1",\n\t\t1, NULL', out["statement_table.c"])
        self.assertIn("shop_get_it, 0, 2,", out["command_table.c"])

    def test_folded(self):
        said, out = run({**FILES, "handlers/domains/shop/getIt.sql": FOLDED})
        self.assertEqual(said, "")
        text = out["statement_table.c"].replace('"\n\t\t"', "")
        self.assertIn("unnest($1::int4[], $2::text[], $3::int4[], $4::timestamptz[]) AS given (place, p1, p2, p3)", text)
        self.assertIn("WHERE given.p1 <> '' AND given.p2 > 0 AND given.p3 < now()", text)
        self.assertIn('"TAKEN", FAILURE_CONFLICT, "there is {thing.id} already"', out["command_table.c"])
        self.assertIn('handle_folded, 0, 1,\n\t\tNULL, NULL,\n\t\tNULL, shop_getIt_errors, NULL, "thing.id"', out["command_table.c"])

    def test_folded_by_two_paths_with_a_record(self):
        sql = FOLDED.replace("distinct: thing.id", "distinct: thing.id thing.id").replace(":{limit} > 0", ":{thing} IS NOT NULL")
        said, out = run({**FILES, "handlers/domains/shop/getIt.sql": sql})
        self.assertEqual(said, "")
        self.assertIn("$2::text[], $3::jsonb[]", out["statement_table.c"].replace('"\n\t\t"', ""))
        self.assertIn('"thing.id thing.id"', out["command_table.c"])

    def test_patch(self):
        said, out = run({**FILES, "schemas/domains/shop/GetIt.avsc": records([*FIELDS, {"name": "name", "type": ["null", "string"], "default": None},
                         {"name": "clear", "type": {"type": "array", "items": "string"}, "default": [], "words": ["name"]}], ["null", "Thing"]),
                         "handlers/domains/shop/getIt.sql": "-- reply: row\n-- flags: write\nUPDATE t AS k SET :{patch k name} RETURNING id\n"})
        self.assertEqual(said, "")
        self.assertIn("CASE WHEN $1::jsonb ? 'name' THEN NULL ELSE coalesce($2::text, k.\\\"name\\\") END",
                      out["statement_table.c"].replace('"\n\t\t\t"', "").replace('"\n\t\t"', ""))
        self.assertIn('{ "clear", "INVALID_CLEAR", (const char *const[]){ "name", NULL } }', out["command_table.c"])

    def test_page(self):
        listed = records(FIELDS, {"type": "record", "name": "Page", "fields": [{"name": "things", "type": {"type": "array", "items": "mastra.shop.Thing"}}]})
        said, out = run({**FILES, "schemas/domains/shop/GetIt.avsc": listed, "handlers/domains/shop/getIt.sql": PAGE})
        self.assertEqual(said, "")
        text = out["statement_table.c"].replace('"\n\t\t"', "")
        self.assertIn("SELECT count(*) FROM (SELECT t.id FROM :\\\"schema\\\".things AS t WHERE t.id = $1::text) AS counted", text)
        self.assertEqual(text.count("LIMIT $2::int8 OFFSET $3::int8"), 4, "two fields, two directions")
        self.assertIn('ORDER BY t.\\"name\\" DESC, t.id', text)
        self.assertIn('shop_getIt_page = { 50, "", (const char *const[]){ "name", "id", NULL },\n\ttrue, true, false };', out["command_table.c"])
        echoed = run({**FILES, "schemas/domains/shop/GetIt.avsc": listed, "handlers/domains/shop/getIt.sql": PAGE.replace("page: 50", "page: 50 thing echo")})[1]
        self.assertIn('shop_getIt_page = { 50, "thing", (const char *const[]){ "name", "id", NULL },\n\ttrue, true, true };', echoed["command_table.c"])

    def test_family(self):
        family = {"books": {"one": "book", "type": "Book", "plural": "Books", "parent": "bookId", "tables": ["t_books", "t_versions"], "flags": ["bound"],
                            "snapshot": {"name": "text!", "price": "int"}},
                  "maps": {"one": "map", "type": "Map", "plural": "Maps", "parent": "mapId", "tables": ["t_maps", "t_map_versions"], "flags": [],
                           "snapshot": {"name": "text!"}}}
        pair = [{"type": "record", "name": "Put", "namespace": "mastra.%domain%", "fields": [{"name": "%one%", "type": {
                    "type": "record", "name": "%type%Input", "fields": ["%snapshot%", {"name": "bound", "type": "string", "%if%": "bound"}]}}]},
                {"type": "record", "name": "PutReply", "namespace": "mastra.%domain%", "fields": [{"name": "result", "type": "null"}]}]
        sql = ('-- reply: none\n-- flags: write\nINSERT INTO %entities% (%snapshot: "{name}"%) SELECT %snapshot: {write}%\n'
               "%if bound% WHERE :{%one%.bound} <> ''\n%unless bound% WHERE true\n")
        files = {**FILES, "handlers/domains/kept/family.json": family, "schemas/domains/kept/Put.avsc": pair, "handlers/domains/kept/put.sql": sql}
        said, out = run(files)
        self.assertEqual(said, "")
        text = out["statement_table.c"].replace('"\n\t\t\t"', "").replace('"\n\t\t"', "").replace('\\"', '"')
        self.assertIn('INSERT INTO t_books ("name", "price") SELECT $1::text, $2::int4\\nWHERE $3::text <> \'\'', text)
        self.assertIn('INSERT INTO t_maps ("name") SELECT $1::text\\nWHERE true', text)
        own = {"handlers/domains/maps/put.sql": "-- reply: none\n-- flags: write\nSELECT 1\n"}
        self.assertIn('"maps.put", "SELECT 1"', run({**files, **own})[1]["statement_table.c"], "a domain's own file wins")
        self.assertIn("a domain lacks 'one'", run({**files, "handlers/domains/kept/family.json": {"x": {"tables": [], "snapshot": {}}}})[0])

    def test_family_without_snapshot(self):
        pair = [{"type": "record", "name": "Clear", "namespace": "mastra.%domain%", "fields": []},
                {"type": "record", "name": "ClearReply", "namespace": "mastra.%domain%", "fields": [{"name": "result", "type": "null"}]}]
        files = {**FILES, "handlers/domains/kept/family.json": {"maps": {"tables": ["t_maps", "t_pins"]}}, "schemas/domains/kept/Clear.avsc": pair,
                 "handlers/domains/kept/clear.sql": "-- reply: none\n-- flags: write clear\nTRUNCATE %tables%\n"}
        said, out = run(files)
        self.assertEqual(said, "")
        self.assertIn('"maps.clear", "TRUNCATE :\\"schema\\".t_maps, :\\"schema\\".t_pins"', out["statement_table.c"])
        self.assertIn("COMMAND_WRITE | COMMAND_CLEAR", out["command_table.c"])
        folded = "-- reply: none\n-- flags: write clear fold\n-- distinct: id\nTRUNCATE %tables%\n"
        self.assertIn("the flag clear excludes", run({**files, "handlers/domains/kept/clear.sql": folded})[0])

    def test_header_only(self):
        said, out = run({**FILES, "handlers/domains/shop/getIt.sql": HANDLED})
        self.assertEqual(said, "")
        self.assertIn("shop_get_it, -1, 0,", out["command_table.c"])

    def test_history(self):
        older = records([{"name": "thing", "type": {**THING, "fields": THING["fields"][:1]}}], "null")[0]
        said, out = run({**FILES, "schemas/history/shop/GetIt-1.avsc": older})
        self.assertEqual(said, "")
        self.assertIn('{ "mastra.shop.GetIt",', out["schema_table.c"])
        self.assertIn("history_count = 1;", out["schema_table.c"])

    def test_wrong(self):
        for change, expected in WRONG:
            with self.subTest(expected):
                said, out = run({**FILES, **change})
                self.assertIn(expected, said)
                self.assertEqual(out, {}, "a stale table must not be built")

    def test_everything_wrong_is_said_at_once(self):
        said, _ = run({**FILES, **sql_with("-- key: thing.id", "-- key: no"), "handlers/domains/shop/orphan.sql": HANDLED})
        self.assertEqual(len(said.split("\n")), 2, said)

    def test_reference(self):
        printed = io.StringIO()
        with tempfile.TemporaryDirectory() as root, contextlib.redirect_stdout(printed):
            write(root, FILES)
            commands.main(["--reference", root])
        said = printed.getvalue()
        self.assertIn("### shop\n", said)
        self.assertIn("\n| `getIt` | read | `thing.id` | `thing: Thing`, `limit: int?` | `Thing?` |\n", said)
        self.assertIn("\n| `Thing` | `id: string`, `tags: string[] = []` |\n", said)

    def test_reference_in_the_readme(self):
        with tempfile.TemporaryDirectory() as root:
            write(root, FILES)
            readme = Path(root) / "handlers/README.md"
            readme.write_text("no marks\n", encoding="utf-8")
            with self.assertRaisesRegex(SystemExit, "has no list of commands"):
                commands.main(["--write-reference", root])
            readme.write_text(f"before\n{BEGIN}stale\n{END}after\n", encoding="utf-8")
            with self.assertRaisesRegex(SystemExit, "out of date"):
                commands.main(["--check-reference", root])
            commands.main(["--write-reference", root])
            commands.main(["--check-reference", root])
            text = readme.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"), text)
        self.assertIn("| `getIt` |", text)
        self.assertNotIn("stale", text)


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f"[====] Synthesis: Tested: {result.testsRun} | Passing: {max(result.testsRun - failed, 0)} "
          f"| Failing: {failed} | Crashing: 0")
    sys.exit(failed > 0)
