"""Makes the entries of index.json, and the attribute `absent` of fields in replies. schemas/README.md describes both.
"""

from avro_types import ROOT, upper
from reference import SHOWN_FLAGS, UNSUPPORTED

REPLY_FIELD = "result"


def own_codes(command):
    """The codes of the errors that the command's own declarations give."""
    yield from (code for code, _, _ in command.errors)
    yield from (f"INVALID_{upper(path.rpartition('.')[2])}" for path, _ in command.choices)
    yield from command.codes
    if command.missing:
        yield command.missing[0]
    if command.paging:
        yield from ("INVALID_PAGE", "INVALID_ORDER") if command.paging.strict else ("INVALID_PAGE",)
    if "clear" in command.flags:
        yield "CLEAR_NOT_ALLOWED"
    if command.handler == UNSUPPORTED:
        yield "NOT_IMPLEMENTED_BY_REFERENCE"


def parameters(command):
    """The positional parameters in order. The last one may be an object, which holds several fields."""
    names = [field.name for field in command.request.fields]
    return [name for name in names if name not in command.options] + ([command.options] if command.options else [])


def entry(project, command):
    """The command's entry in index.json, without names and fingerprints."""
    made = {"topic": f"{ROOT}.commands.{command.domain}", "flags": [flag for flag in command.flags if flag in SHOWN_FLAGS],
            "errors": sorted(set(own_codes(command)))}
    if command.key:
        made["key"] = command.key
    if "positional" in command.flags:
        made["parameters"] = parameters(command)
    return {**made, "example": project.docs.example(command)}


def undocumented(project):
    """What lacks documentation, and documentation of nothing."""
    for command in project.commands:
        request_schema(project, command)
        reply_schema(project, command)
        project.docs.example(command)
    docs = project.docs
    yield from (f"schemas/docs: {what} has no documentation: add it, or a \"doc\" to its schema" for what in sorted(docs.missing))
    for name, names in (("commands", docs.commands), ("records", docs.records), ("fields", docs.fields), ("examples", docs.samples), ("examples", docs.requests)):
        yield from (f"schemas/docs/{name}.json: nothing is named {key}: remove it" for key in names.unused())


def with_absent(schema, say):
    """The complete schema in which say() gives each nullable field its attribute `absent`; None: none."""
    if isinstance(schema, list):
        return [with_absent(branch, say) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    inner = ("type", "items", "values", "fields")
    made = {word: with_absent(value, say) if word in inner else value for word, value in schema.items() if word != "absent"}
    told = say(schema) if isinstance(schema.get("type"), list) else None
    return {**made, "absent": told} if told else made


def request_schema(project, command):
    return project.docs.documented(with_absent(project.schemas.define(command.request.full, set()), lambda field: None), command)


def reply_schema(project, command):
    """Each nullable field says what the reference returns if it has no value."""
    kind, only = command.absent

    def say(field):
        if field["name"] == REPLY_FIELD:
            return field.get("absent", "null")
        return kind if kind and (not only or field["name"] in only) else field.get("absent", "undefined")
    return project.docs.documented(with_absent(project.schemas.define(command.reply.full, set()), say), command)
