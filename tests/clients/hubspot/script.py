"""Holds HubSpot's own client for Python against a portal.

Every answer must fit the client's models (they refuse missing required fields and unknown words of an enumeration by themselves), carry no
field that the models do not know apart from those in EXTRA, and say what the step expects. It takes HUBSPOT_BASE, HUBSPOT_TOKEN, HUBSPOT_APP,
HUBSPOT_DEVELOPER_KEY, HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRET. One line a step; the first surprise ends it with 1.
"""

import json
import os
import re
import sys
import time
import traceback
import urllib.parse
import urllib.request

import hubspot
import hubspot.oauth
from hubspot.crm import associations, companies, contacts, deals, objects, owners, pipelines, properties, schemas
from hubspot.crm.associations import v4
from hubspot.crm.associations.v4 import schema as labels

ENV = os.environ
RUN = format(time.time_ns() // 1_000_000, "x")

# Fields that answers of recorded portals have, too, though this version of the client does not know them.
EXTRA = {"url", "dataSensitivity"}


def unknown(data, model, packages, path=""):
    """Tells the fields of raw data that a model does not know."""
    if isinstance(data, list):
        inner = re.match(r"list\[(.*)\]", model)
        for one in data:
            yield from unknown(one, inner[1] if inner else "object", packages, path)
        return
    kind = getattr(packages, model, None)
    if not isinstance(data, dict) or not hasattr(kind, "openapi_types"):
        return
    names = {wire: name for name, wire in kind.attribute_map.items()}
    for key, value in data.items():
        if key not in names:
            if key not in EXTRA:
                yield f"{path}.{key} of {model}"
        else:
            yield from unknown(value, kind.openapi_types[names[key]], packages, f"{path}.{key}")


def strict(package):
    """Lets a package's client look at the raw answer before it makes models of it."""
    deserialize = package.ApiClient.deserialize

    def checked(self, response, response_type):
        if response.data and isinstance(response_type, str):
            found = list(unknown(json.loads(response.data), response_type, package))
            assert not found, f"fields that the client does not know: {found}"
        return deserialize(self, response, response_type)

    package.ApiClient.deserialize = checked
    if hasattr(package, "StandardError"):
        make = package.StandardError.__init__
        # Entries of a batch's errors as recorded lack these, though the client requires them.
        package.StandardError.__init__ = lambda self, **given: make(self, **{"context": {}, "links": {}, "errors": [], **given})


for package in (contacts, companies, deals, objects, owners, pipelines, properties, schemas, v4, labels, hubspot.oauth):
    strict(package)


def connect(**more):
    return hubspot.HubSpot(**{"access_token": ENV["HUBSPOT_TOKEN"], "host": ENV["HUBSPOT_BASE"], **more})


client = connect()
crm = client.crm


def step(name, work):
    try:
        work()
        print(f"ok {name}", flush=True)
    except Exception:
        print(f"SURPRISE in {name}: {traceback.format_exc()}", flush=True)
        sys.exit(1)


def refused(status, work, category=None):
    """The envelope of the refusal that is expected."""
    try:
        work()
    except Exception as error:
        assert getattr(error, "status", None) == status, f"{status} expected: {error!r}"
        body = json.loads(error.body)
        for field in ("message", "category", "correlationId"):
            assert isinstance(body[field], str), body
        assert category in (None, body["category"]), body
        return body
    raise AssertionError(f"no {status}")


def draft(name, **more):
    given = {"label": name, "group_name": f"g_{RUN}", "type": "string", "field_type": "text", **more}
    return properties.PropertyCreate(name=name, **given)


def the_properties():
    api = crm.properties
    group = api.groups_api.create("contacts", properties.PropertyGroupCreate(name=f"g_{RUN}", label="Check"))
    assert isinstance(group, properties.PropertyGroup) and group.archived is False
    choice = lambda value: properties.OptionInput(label=value, value=value, display_order=0, hidden=False)
    unique = api.core_api.create("contacts", draft(f"u_{RUN}", has_unique_value=True))
    assert unique.has_unique_value and unique.modification_metadata.read_only_value is False
    select = draft(f"s_{RUN}", type="enumeration", field_type="select", options=[choice("a"), choice("b")])
    api.core_api.create("contacts", select)
    changed = api.core_api.update("contacts", select.name, properties.PropertyUpdate(options=[choice("c")]))
    assert [option.value for option in changed.options] == ["c"]
    refused(409, lambda: api.core_api.create("contacts", select), "OBJECT_ALREADY_EXISTS")
    mixed = api.batch_api.create("contacts", properties.BatchInputPropertyCreate(inputs=[draft(f"b_{RUN}"), draft(f"u_{RUN}")]))
    assert isinstance(mixed, properties.BatchResponsePropertyWithErrors) and mixed.num_errors == 1
    api.core_api.archive("contacts", f"b_{RUN}")
    archived = api.core_api.get_all("contacts", archived=True).results
    assert any(one.name == f"b_{RUN}" and one.archived_at for one in archived)
    for kind in ("contacts", "companies", "deals", "leads", "products", "line_items", "invoices", "projects", "notes", "calls", "tasks", "meetings", "emails", "communications", "tickets"):
        assert len(api.core_api.get_all(kind).results) > 30, kind


def the_owners():
    page = crm.owners.owners_api.get_page(limit=1)
    assert isinstance(page, owners.CollectionResponsePublicOwnerForwardPaging) and page.paging.next.after
    first = page.results[0]
    assert crm.owners.owners_api.get_by_id(int(first.id)).email == first.email
    assert [one.id for one in crm.owners.owners_api.get_page(archived=True).results] != []


def the_pipelines():
    api = crm.pipelines
    assert api.pipelines_api.get_all("deals").results[0].stages[5].metadata == {"isClosed": "true", "probability": "1.0"}
    stage = lambda label, probability, place: pipelines.PipelineStageInput(label=label, display_order=place, metadata={"probability": probability})
    made = api.pipelines_api.create("deals", pipelines.PipelineInput(label=f"P {RUN}", display_order=3, stages=[stage("New", "0.1", 0)]))
    won = api.pipeline_stages_api.create("deals", made.id, stage("Won", "1.0", 1))
    changed = api.pipeline_stages_api.update("deals", made.id, won.id, pipelines.PipelineStagePatchInput(label="Sold", metadata={"probability": "1.0"}))
    assert changed.label == "Sold" and changed.write_permissions == "CRM_PERMISSIONS_ENFORCEMENT"
    crm.deals.basic_api.create(deals.SimplePublicObjectInputForCreate(properties={"dealname": "d", "pipeline": made.id, "dealstage": won.id}, associations=[]))
    used = refused(400, lambda: api.pipelines_api.archive("deals", made.id, validate_references_before_delete=True))
    assert used["subCategory"] == "PipelineError.STAGE_ID_IN_USE"
    assert api.pipeline_audits_api.get_audit("deals", made.id).results[0].action == "CREATE"


def address(name):
    return f"{name}.{RUN}@ex.test"


def new(values, **more):
    return contacts.SimplePublicObjectInputForCreate(properties=values, associations=more.get("associations", []))


SEEN = {}


def the_contacts():
    api = crm.contacts.basic_api
    made = SEEN["ada"] = api.create(new({"email": address("Ada"), "firstname": "Ada", f"u_{RUN}": "one"}))
    assert isinstance(made, contacts.SimplePublicObject) and made.properties["email"] == address("ada")
    found = api.get_by_id(address("ada"), id_property="email", properties=["phone", "firstname"], properties_with_history=["firstname"])
    assert found.id == made.id and found.properties["phone"] is None
    assert found.properties_with_history["firstname"][0].value == "Ada"
    api.update(made.id, contacts.SimplePublicObjectInput(properties={"phone": "+1"}))
    twice = refused(409, lambda: api.create(new({"email": address("ADA")})), "CONFLICT")
    assert twice["message"] == f"Contact already exists. Existing ID: {made.id}"
    refused(400, lambda: api.create(new({"hs_lead_status": "none"})), "VALIDATION_ERROR")
    refused(404, lambda: api.get_by_id("1"), "OBJECT_NOT_FOUND")


def the_batches():
    api = crm.contacts.batch_api
    one = lambda name, **more: contacts.SimplePublicObjectBatchInputForCreate(properties={"email": address(name), "lastname": RUN}, associations=[], **more)
    many = lambda inputs: contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
    refused(409, lambda: api.create(many([one("new"), one("ada")])), "CONFLICT")
    mixed = api.create(many([one("b", object_write_trace_id="1"), one("ada", object_write_trace_id="2")]))
    assert isinstance(mixed, contacts.BatchResponseSimplePublicObjectWithErrors)
    assert mixed.errors[0].context == {"objectWriteTraceId": ["2"], "existingId": [SEEN["ada"].id]}
    whole = api.create(many([one(f"m{place}") for place in range(25)]))
    assert isinstance(whole, contacts.BatchResponseSimplePublicObject) and whole.status == "COMPLETE"
    people = SEEN["people"] = [result.id for result in whole.results]
    put = lambda value: contacts.SimplePublicObjectBatchInputUpsert(id=value, id_property=f"u_{RUN}", properties={"city": "Bern"})
    upserted = api.upsert(contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[put("one"), put("two")]))
    assert sorted(result.new for result in upserted.results) == [False, True]
    ids = lambda of: [contacts.SimplePublicObjectId(id=one) for one in of]
    read = api.read(contacts.BatchReadInputSimplePublicObjectId(inputs=ids([people[0], "1"]), properties=["email"], properties_with_history=[]))
    assert len(read.results) == 1 and read.errors[0].category == "OBJECT_NOT_FOUND"
    api.archive(contacts.BatchInputSimplePublicObjectId(inputs=ids(people[:2])))
    archived = crm.contacts.get_all(archived=True)
    assert {people[0], people[1]} <= {one.id for one in archived}


def the_search():
    rule = contacts.Filter(property_name="lastname", operator="EQ", value=RUN)
    ask = lambda after: contacts.PublicObjectSearchRequest(filter_groups=[contacts.FilterGroup(filters=[rule])], sorts=["email"], properties=["email"], limit=10, after=after)
    for _ in range(20):
        page = crm.contacts.search_api.do_search(ask("0"))
        if page.total == 24:
            break
        time.sleep(1)
    found = [one.id for one in page.results]
    while page.paging:
        page = crm.contacts.search_api.do_search(ask(page.paging.next.after))
        found += [one.id for one in page.results]
    assert len(set(found)) == len(found) == 24


def the_associations():
    api, people = crm.associations.v4, SEEN["people"]
    company = crm.companies.basic_api.create(companies.SimplePublicObjectInputForCreate(properties={"name": RUN}, associations=[]))
    assert api.basic_api.create_default("contacts", people[5], "companies", company.id).status == "COMPLETE"
    primary = [v4.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=1)]
    api.basic_api.create("contacts", people[5], "companies", company.id, primary)
    page = api.basic_api.get_page("contacts", people[5], "companies")
    assert {(one.type_id, one.label) for one in page.results[0].association_types} == {(1, "Primary"), (279, None)}
    made = api.schema.definitions_api.create("contacts", "companies", labels.PublicAssociationDefinitionCreateRequest(label="Advisor", name=f"adv_{RUN}", inverse_label="Advised"))
    mine = [v4.AssociationSpec(association_category="USER_DEFINED", association_type_id=made.results[0].type_id)]
    ident = lambda one: v4.PublicObjectId(id=one)
    pair = lambda one: v4.PublicAssociationMultiPost(_from=ident(one), to=ident(company.id), types=mine)
    done = api.batch_api.create("contacts", "companies", v4.BatchInputPublicAssociationMultiPost(inputs=[pair(people[6]), pair(people[7])]))
    assert len(done.results) == 2
    ask = lambda one: v4.PublicFetchAssociationsBatchRequest(id=one)
    read = api.batch_api.get_page("contacts", "companies", v4.BatchInputPublicFetchAssociationsBatchRequest(inputs=[ask(people[6]), ask(people[9])]))
    assert {one.label for one in read.results[0].to[0].association_types} == {"Advisor", None}
    assert read.errors[0].sub_category == "crm.associations.NO_ASSOCIATIONS_FOUND"
    api.batch_api.archive_labels("contacts", "companies", v4.BatchInputPublicAssociationMultiPost(inputs=[pair(people[6])]))
    api.basic_api.archive("contacts", people[6], "companies", company.id)
    assert api.basic_api.get_page("contacts", people[6], "companies").results == []


def the_rest():
    merged = crm.contacts.basic_api.merge(contacts.PublicMergeInput(primary_object_id=SEEN["ada"].id, object_id_to_merge=SEEN["people"][10]))
    assert crm.contacts.basic_api.get_by_id(SEEN["people"][10]).id == merged.id
    note = {"hs_timestamp": "2026-01-05T09:30:00Z", "hs_note_body": "<p>Hi</p>"}
    to = objects.PublicAssociationsForObject(to=objects.PublicObjectId(id=merged.id), types=[objects.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=202)])
    made = crm.objects.basic_api.create("notes", objects.SimplePublicObjectInputForCreate(properties=note, associations=[to]))
    read = crm.objects.basic_api.get_by_id("notes", made.id, associations=["contacts"])
    assert read.associations["contacts"].results[0].type == "note_to_contact"
    name = schemas.ObjectTypePropertyCreate(name="name", label="Name", type="string", field_type="text")
    egg = schemas.ObjectSchemaEgg(name=f"ship_{RUN}", labels=schemas.ObjectTypeDefinitionLabels(singular="Ship", plural="Ships"), required_properties=["name"], primary_display_property="name", properties=[name], associated_objects=["CONTACT"])
    assert crm.schemas.core_api.create(egg).object_type_id.startswith("2-")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def the_tokens():
    back = "http://127.0.0.1:9/back"
    query = urllib.parse.urlencode({"client_id": ENV["HUBSPOT_CLIENT_ID"], "redirect_uri": back, "scope": "crm.objects.contacts.read"})
    try:
        urllib.request.build_opener(NoRedirect).open(f"{ENV['HUBSPOT_BASE']}/oauth/authorize?{query}")
    except urllib.error.HTTPError as found:
        code = urllib.parse.parse_qs(urllib.parse.urlparse(found.headers["location"]).query)["code"][0]
    secrets = {"client_id": ENV["HUBSPOT_CLIENT_ID"], "client_secret": ENV["HUBSPOT_CLIENT_SECRET"]}
    pair = client.oauth.tokens_api.create(grant_type="authorization_code", code=code, redirect_uri=back, **secrets)
    again = client.oauth.tokens_api.create(grant_type="refresh_token", refresh_token=pair.refresh_token, **secrets)
    assert again.refresh_token == pair.refresh_token and again.expires_in == 1800
    assert client.oauth.access_tokens_api.get(again.access_token).scopes == ["crm.objects.contacts.read"]
    narrow = connect(access_token=again.access_token).crm
    narrow.contacts.basic_api.get_page()
    refused(403, lambda: narrow.companies.basic_api.get_page(), "MISSING_SCOPES")
    refused(401, lambda: connect(access_token="x").crm.contacts.basic_api.get_page())


for name, work in list(globals().items()):
    if name.startswith("the_"):
        step(name[4:], work)
