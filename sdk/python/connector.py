"""Reads Example CRM: companies, contacts, deals with their pipelines, and notes.

It holds no credential and names no host: it asks the host for a path below the endpoint "api" of manifest.toml. `wit_world` and
`componentize_py_types` are made from `wit/` when the connector is built; what each function promises is written there.
"""
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import http
from wit_world.imports.types import (
    Account, AssociationInfo, Failure, FailureKind, FieldInfo, FieldKind, FieldOption, ObjectInfo, Page, PageRequest, Pipeline, Stage,
    StageMeaning,
)

PAGE_MAX = 100
# The field's name in answers and in rows, what people see, its kind, and the standard property that it is.
CREATED = ("created_at", "Created", FieldKind.INSTANT, "createdate")
OBJECTS = {
    "company": ("companies", "company", [
        ("name", "Name", FieldKind.TEXT, "name"), ("domain", "Domain", FieldKind.TEXT, "domain"), CREATED], {}),
    "contact": ("contacts", "contact", [
        ("first_name", "First name", FieldKind.TEXT, "firstname"), ("last_name", "Last name", FieldKind.TEXT, "lastname"),
        ("email", "E-mail", FieldKind.EMAIL, "email"), ("phone", "Phone", FieldKind.PHONE, "phone"), CREATED], {"company": "company"}),
    "deal": ("deals", "deal", [
        ("title", "Title", FieldKind.TEXT, "dealname"), ("amount", "Amount", FieldKind.MONEY, "amount"),
        ("currency", "Currency", FieldKind.TEXT, "deal_currency_code"), ("pipeline", "Pipeline", FieldKind.REFERENCE, "pipeline"),
        ("stage", "Stage", FieldKind.REFERENCE, "dealstage"), ("close_date", "Expected close", FieldKind.DATE, "expected_close_date"),
        CREATED], {"company": "company", "contacts": "contact"}),
}
NOTES = {"note": ("notes", "note", [
    ("body", "Text", FieldKind.HTML, "hs_note_body"), ("at", "Written", FieldKind.INSTANT, "hs_timestamp")],
    {"contact": "contact", "deal": "deal"})}
CUSTOM_KINDS = {"text": FieldKind.TEXT, "number": FieldKind.DECIMAL, "date": FieldKind.DATE, "choice": FieldKind.OPTION}
FAILURES = {401: FailureKind.AUTH, 403: FailureKind.PERMISSION, 404: FailureKind.NOT_FOUND, 429: FailureKind.RATE_LIMITED}


def fail(kind, code, message, status=None, retry_after_ms=None):
    """A failure for the host, which decides by its kind what to do."""
    return Err(Failure(kind, f"example.{code}", message, retry_after_ms, status, []))


def get(path, read, **query):
    """Hands the answer to `read`. A failure of `http.send` goes on to the host as it is."""
    query = [(name, str(value)) for name, value in query.items() if value is not None]
    answer = http.send(http.Request("api", http.Method.GET, path, query, [], None, True))
    if answer.status != 200:
        raise refused(path, answer)
    try:
        return read(json.loads(answer.body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise fail(FailureKind.BAD_DATA, "answer", f"the answer to {path} is not as expected: {error!r}", answer.status) from error


def refused(path, answer):
    status, wait = answer.status, dict(answer.headers).get("retry-after", "")
    kind = FAILURES.get(status, FailureKind.TRANSIENT if status >= 500 else FailureKind.PERMANENT)
    if status == 400 and b'"bad_cursor"' in answer.body:
        kind = FailureKind.STALE_CURSOR
    retry_after_ms = int(wait) * 1000 if wait.isdecimal() else None
    return fail(kind, f"status-{status}", f"GET {path} was answered with {status}", status, retry_after_ms)


def describe(name, path, standard, fields, links):
    infos = [FieldInfo(field, label, kind, False, False, meaning, [], attributes_of(field)) for field, label, kind, meaning in fields]
    infos += get("/fields", lambda answer: [custom_field(field) for field in answer["items"]], object=path)
    links = [AssociationInfo(link, to, None, []) for link, to in links.items()]
    return ObjectInfo(name, path.capitalize(), standard, infos, links, True, None, [])


def attributes_of(field):
    return [("currency-field", "currency")] if field == "amount" else []


def custom_field(field):
    options = [FieldOption(choice["value"], choice["label"]) for choice in field.get("choices", [])]
    return FieldInfo(field["key"], field["label"], CUSTOM_KINDS[field["type"]], True, False, None, options, [])


def fetch(objects, request: PageRequest):
    if request.object not in objects:
        raise fail(FailureKind.NOT_FOUND, "object", f"there is no object {request.object!r}")
    path, _, fields, links = objects[request.object]
    after = request.cursor.decode("utf-8", "replace") if request.cursor else None

    def read(answer):
        rows = [row_of(item, fields, links) for item in answer["items"]]
        following = answer["next"]
        return Page("".join(rows).encode(), following.encode() if following else None, [])

    return get(f"/{path}", read, limit=min(request.limit, PAGE_MAX), after=after, changed_since=request.updated_since)


def row_of(item, fields, links):
    """One line of row grammar 1."""
    row = {"id": item["id"], "updated_at": item["changed_at"]}
    if item.get("deleted"):
        return json.dumps(row | {"deleted": True}) + "\n"
    row["fields"] = {name: item[name] for name, *_ in fields} | item["custom"]
    ends = {name: item[name] if isinstance(item[name], list) else [item[name]] for name in links}
    row["associations"] = [[name, end] for name in links for end in ends[name] if end is not None]
    return json.dumps(row, ensure_ascii=False) + "\n"


class Source(exports.Source):
    def check(self):
        return get("/me", lambda me: Account(me["account"]["id"], me["account"]["name"], me["user"], me["account"]["currency"], [], []))

    def list_objects(self):
        return [describe(name, *about) for name, about in OBJECTS.items()]

    def fetch_records(self, request):
        return fetch(OBJECTS, request)


class Engagements(exports.Engagements):
    def list_engagements(self):
        return [describe(name, *about) for name, about in NOTES.items()]

    def fetch_engagements(self, request):
        return fetch(NOTES, request)


class Stages(exports.Stages):
    def describe_stages(self):
        return get("/pipelines", lambda answer: [pipeline_of(pipeline) for pipeline in answer["items"]])


def pipeline_of(pipeline):
    stages = [Stage(s["id"], s["name"], s["chance"], StageMeaning[s["result"].upper()], []) for s in pipeline["stages"]]
    return Pipeline(pipeline["id"], pipeline["name"], "deal", stages, [])
