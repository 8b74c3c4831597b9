"""Each kind of breaking change is found, once and by name, and what only adds is not."""

import copy
import unittest

import changes

TOKEN = [{"token": []}]


def answer(schema):
    return {
        "description": "It.",
        "headers": {"ETag": {"schema": {"type": "string"}}},
        "content": {"application/json": {"schema": schema}},
    }


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/pets": {
            "get": {
                "operationId": "pets_list",
                "security": [],
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100, "default": 20}},
                    {"name": "sort", "in": "query", "schema": {"type": "string", "enum": ["name", "-name"]}},
                ],
                "responses": {"200": answer({"type": "array", "items": ref("Pet")}), "422": {"$ref": "#/components/responses/Invalid"}},
            },
            "post": {
                "operationId": "pets_create",
                "security": TOKEN,
                "requestBody": {"content": {"application/json": {"schema": ref("NewPet")}}},
                "responses": {"201": answer(ref("Pet")), "202": {"description": "Later."}},
            },
        },
        "/pets/{id}": {
            "get": {
                "operationId": "pets_read",
                "security": [{}, *TOKEN],
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": answer(ref("Pet"))},
            },
        },
    },
    "components": {
        "responses": {"Invalid": answer({"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}})},
        "schemas": {
            "Kind": {"type": "string", "enum": ["cat", "dog"]},
            "Tag": {"type": "string", "maxLength": 32},
            "Person": {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}},
            "Shelter": {"type": "object", "properties": {"name": {"type": "string"}}},
            "NewPet": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 40},
                    "nickname": {"type": ["string", "null"]},
                    "kind": {"oneOf": [ref("Kind"), {"type": "null"}]},
                    "weight": {"type": "number"},
                    "tags": {"type": "array", "items": ref("Tag"), "maxItems": 10},
                },
            },
            "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}}},
            "Pet": {
                "allOf": [
                    ref("Base"),
                    {
                        "type": "object",
                        "required": ["name", "kind", "parent"],
                        "properties": {
                            "name": {"type": "string"},
                            "kind": ref("Kind"),
                            "owner": {"type": ["string", "null"]},
                            # Refers to itself.
                            "parent": {"oneOf": [ref("Pet"), {"type": "null"}]},
                            "age": {"type": "integer"},
                            "keeper": {"oneOf": [ref("Person"), ref("Shelter")]},
                        },
                    },
                ],
            },
        },
    },
}


def get(document):
    return document["paths"]["/pets"]["get"]


def post(document):
    return document["paths"]["/pets"]["post"]


def schema(document, name):
    return document["components"]["schemas"][name]


def new_pet(document):
    return schema(document, "NewPet")


def pet(document):
    return schema(document, "Pet")["allOf"][1]


def change(where, **values):
    """A change of the document: `where` picks a mapping, whose keys get these values."""
    return lambda document: where(document).update(values)


def remove(where, key):
    return lambda document: where(document).pop(key)


BREAKING = {
    # Operations
    "GET /pets: removed": remove(lambda d: d["paths"]["/pets"], "get"),
    "GET /pets/{id}: removed": remove(lambda d: d["paths"], "/pets/{id}"),
    "GET /pets: is no longer called pets_list": change(get, operationId="list"),
    "GET /pets: now needs a token": change(get, security=TOKEN),
    "GET /pets/{id}: now needs a token": change(lambda d: d["paths"]["/pets/{id}"]["get"], security=TOKEN),
    # Parameters
    "GET /pets query sort: removed": lambda d: get(d)["parameters"].pop(1),
    "GET /pets query limit: is now required": change(lambda d: get(d)["parameters"][0], required=True),
    "GET /pets query q: is new and required": lambda d: get(d)["parameters"].append(
        {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    ),
    "GET /pets query limit: its default changed": change(lambda d: get(d)["parameters"][0]["schema"], default=50),
    'GET /pets query limit: is now limited by maximum 50': change(lambda d: get(d)["parameters"][0]["schema"], maximum=50),
    'GET /pets query sort: no longer takes "-name"': lambda d: get(d)["parameters"][1]["schema"]["enum"].pop(),
    "GET /pets/{id} path id: no longer takes what is not of the format uuid": change(
        lambda d: d["paths"]["/pets/{id}"]["get"]["parameters"][0]["schema"], format="uuid"
    ),
    # What is sent
    "POST /pets body: is now required": change(lambda d: post(d)["requestBody"], required=True),
    "POST /pets body application/json: removed": change(lambda d: post(d)["requestBody"], content={"text/plain": {}}),
    "NewPet.weight: is now required": lambda d: new_pet(d)["required"].append("weight"),
    "NewPet.colour: is now required": lambda d: (
        new_pet(d)["required"].append("colour"), new_pet(d)["properties"].update(colour={"type": "string"})
    ),
    "NewPet.nickname: removed": remove(lambda d: new_pet(d)["properties"], "nickname"),
    "NewPet.nickname: no longer takes null": change(lambda d: new_pet(d)["properties"]["nickname"], type="string"),
    "NewPet.kind: no longer takes null": change(lambda d: new_pet(d)["properties"], kind=ref("Kind")),
    "NewPet.weight: no longer takes number": change(lambda d: new_pet(d)["properties"]["weight"], type="integer"),
    "NewPet.name: is now limited by maxLength 20": change(lambda d: new_pet(d)["properties"]["name"], maxLength=20),
    "NewPet.name: is now limited by minLength 2": change(lambda d: new_pet(d)["properties"]["name"], minLength=2),
    'NewPet.name: is now limited by pattern "^a"': change(lambda d: new_pet(d)["properties"]["name"], pattern="^a"),
    'NewPet.name: no longer takes values outside its enumeration': change(
        lambda d: new_pet(d)["properties"]["name"], enum=["Tom"]
    ),
    "Tag: is now limited by maxLength 8": change(lambda d: schema(d, "Tag"), maxLength=8),
    "NewPet.tags: is now limited by maxItems 3": change(lambda d: new_pet(d)["properties"]["tags"], maxItems=3),
    # What is answered
    "POST /pets 202: removed": remove(lambda d: post(d)["responses"], "202"),
    "GET /pets 200 application/json: removed": change(lambda d: get(d)["responses"]["200"], content={"text/csv": {}}),
    "GET /pets 200 header ETag: removed": change(lambda d: get(d)["responses"]["200"], headers={}),
    "Pet.name: removed": remove(lambda d: pet(d)["properties"], "name"),
    "Pet.id: may now be absent": change(lambda d: schema(d, "Base"), required=[]),
    "Pet.id: may now be what is not of the format uuid": remove(lambda d: schema(d, "Base")["properties"]["id"], "format"),
    "Pet.name: may now be null": change(lambda d: pet(d)["properties"]["name"], type=["string", "null"]),
    "Pet.kind: may now be null": change(lambda d: pet(d)["properties"], kind={"oneOf": [ref("Kind"), {"type": "null"}]}),
    "Pet.age: may now be number": change(lambda d: pet(d)["properties"]["age"], type="number"),
    "Pet.age: may now be anything": change(lambda d: pet(d)["properties"], age={}),
    "Person.age: removed": remove(lambda d: schema(d, "Person")["properties"], "age"),
    "Pet.keeper: may now be Robot as it is": lambda d: (
        d["components"]["schemas"].update(Robot={"type": "object", "properties": {"serial": {"type": "string"}}}),
        pet(d)["properties"]["keeper"]["oneOf"].append(ref("Robot")),
    ),
    'Kind: may now be "bird"': lambda d: schema(d, "Kind")["enum"].append("bird"),
    "Pet.kind: may now be values outside its enumeration": change(lambda d: pet(d)["properties"], kind={"type": "string"}),
    "GET /pets 422.code: removed": lambda d: d["components"]["responses"]["Invalid"]["content"]["application/json"]["schema"][
        "properties"
    ].pop("code"),
}

ADDITIVE = {
    "a path": lambda d: d["paths"].update({"/owners": {"get": {"responses": {"200": answer({})}}}}),
    "an operation": lambda d: d["paths"]["/pets"].update(delete={"responses": {"204": {"description": "Gone."}}}),
    "an optional parameter": lambda d: get(d)["parameters"].append({"name": "q", "in": "query", "schema": {"type": "string"}}),
    "another name of a parameter in a path": lambda d: d["paths"].update(
        {
            "/pets/{pet}": {
                "get": {
                    **d["paths"].pop("/pets/{id}")["get"],
                    "parameters": [{"name": "pet", "in": "path", "required": True, "schema": {"type": "string"}}],
                }
            }
        }
    ),
    "a looser parameter": change(lambda d: get(d)["parameters"][0]["schema"], maximum=200),
    "a value that is taken": lambda d: get(d)["parameters"][1]["schema"]["enum"].append("age"),
    "an optional field of a request": lambda d: new_pet(d)["properties"].update(colour={"type": "string"}),
    "a field that need not be sent any more": change(new_pet, required=[]),
    "null where it was not taken": change(lambda d: new_pet(d)["properties"]["name"], type=["string", "null"]),
    "more that is taken": change(lambda d: new_pet(d)["properties"]["name"], maxLength=80, minLength=0),
    "a field of an answer": lambda d: (pet(d)["properties"].update(colour={"type": "string"}), pet(d)["required"].append("colour")),
    "a field that is always there now": lambda d: pet(d)["required"].append("age"),
    "a kind that is not given any more": lambda d: pet(d)["properties"]["keeper"]["oneOf"].pop(),
    "no null any more": change(lambda d: pet(d)["properties"]["owner"], type="string"),
    "a header": lambda d: get(d)["responses"]["200"]["headers"].update(Link={"schema": {"type": "string"}}),
    "an error": lambda d: get(d)["responses"].update({"429": answer({})}),
    "an error that is not given any more": remove(lambda d: get(d)["responses"], "422"),
    "a representation": lambda d: get(d)["responses"]["200"]["content"].update({"text/csv": {}}),
    "no token any more": change(post, security=[]),
    "another description": change(lambda d: schema(d, "Kind"), description="What it is."),
    "a component for what was written out": lambda d: (
        d["components"]["schemas"].update(Name={"type": "string", "minLength": 1, "maxLength": 40}),
        new_pet(d)["properties"].update(name=ref("Name")),
    ),
}


def changed(by):
    document = copy.deepcopy(DOCUMENT)
    by(document)
    return document


class Changes(unittest.TestCase):
    def test_the_same_document_breaks_nothing(self):
        untouched = copy.deepcopy(DOCUMENT)
        self.assertEqual([], changes.breaking(DOCUMENT, copy.deepcopy(DOCUMENT)))
        self.assertEqual(untouched, DOCUMENT)

    def test_what_breaks_is_found_by_name_and_nothing_else_with_it(self):
        for finding, by in BREAKING.items():
            with self.subTest(finding):
                self.assertEqual([finding], changes.breaking(DOCUMENT, changed(by)))

    def test_what_only_adds_is_not_found(self):
        for what, by in ADDITIVE.items():
            with self.subTest(what):
                self.assertNotEqual(DOCUMENT, changed(by), "nothing was changed")
                self.assertEqual([], changes.breaking(DOCUMENT, changed(by)))


if __name__ == "__main__":
    unittest.main()
