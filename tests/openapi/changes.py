"""What in one OpenAPI 3.1 document breaks the clients of another, and nothing that only adds.

A request may be taken more loosely than before, an answer may be given more strictly: whatever an old client sends
must still be taken, and whatever it is given must be what it was promised. Lengths, bounds and patterns matter in
requests only, for a client that reads an answer does not measure it. A new value of an enumeration breaks whoever gets
it, since a typed client has a case for each. A component that both documents name is reported once, under its name.
"""

import json
import operator
import re

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# A bound, and when its new value is stricter than its old one.
BOUNDS = {
    **dict.fromkeys(("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties"), operator.gt),
    **dict.fromkeys(("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties"), operator.lt),
    **dict.fromkeys(("pattern", "multipleOf", "uniqueItems"), operator.ne),
}


# What was sent before has to fit what is taken now; what is given now has to fit what was promised before.
REQUEST, ANSWER = "no longer takes", "may now be"


def flow(direction, old, new):
    """What has to fit, and into what."""
    return (old, new) if direction is REQUEST else (new, old)


def breaking(before, after):
    """One line for each change that breaks, sorted."""
    return sorted(set(Comparison(before, after).paths()))


class Comparison:
    def __init__(self, before, after):
        self.before, self.after = before, after
        self.of_components = {}

    def paths(self):
        # A parameter in a path is known by its place: its name is not on the wire.
        after = {anonymous(path): item for path, item in self.after["paths"].items()}
        operations = [(path, item, method) for path, item in self.before["paths"].items() for method in METHODS if method in item]
        for path, item, method in operations:
            where, new_item = f"{method.upper()} {path}", after.get(anonymous(path), {})
            if method in new_item:
                yield from self.operation(with_shared(item, method), with_shared(new_item, method), where)
            else:
                yield f"{where}: removed"

    def operation(self, old, new, where):
        if old.get("operationId") and old["operationId"] != new.get("operationId"):
            yield f"{where}: is no longer called {old['operationId']}"
        if is_public(old, self.before) and not is_public(new, self.after):
            yield f"{where}: now needs a token"
        yield from self.parameters(old, new, where)
        old_body, new_body = self.both(old.get("requestBody", {}), new.get("requestBody", {}))
        if new_body.get("required") and not old_body.get("required"):
            yield f"{where} body: is now required"
        yield from self.content(old_body, new_body, f"{where} body", REQUEST)
        yield from self.responses(old.get("responses", {}), new.get("responses", {}), where)

    def parameters(self, old, new, where):
        olds = {key(p): p for p in (resolve(p, self.before)[0] for p in old["parameters"])}
        news = {key(p): p for p in (resolve(p, self.after)[0] for p in new["parameters"])}
        pairs = list(zip(in_path(olds), in_path(news)))
        pairs += [(parameter, news.get(k)) for k, parameter in olds.items() if k[0] != "path"]
        for old_parameter, new_parameter in pairs:
            name = f"{where} {old_parameter['in']} {old_parameter['name']}"
            if new_parameter is None:
                yield f"{name}: removed"
                continue
            if new_parameter.get("required") and not old_parameter.get("required"):
                yield f"{name}: is now required"
            old_schema, new_schema = old_parameter.get("schema", {}), new_parameter.get("schema", {})
            if old_schema.get("default") != new_schema.get("default"):
                yield f"{name}: its default changed"
            yield from self.schema(old_schema, new_schema, name, REQUEST)
        for (place, name), parameter in news.items():
            if place != "path" and (place, name) not in olds and parameter.get("required"):
                yield f"{where} {place} {name}: is new and required"

    def responses(self, olds, news, where):
        for status, response in olds.items():
            if status not in news:
                if status < "400":
                    yield f"{where} {status}: removed"
                continue
            response, new_response = self.both(response, news[status])
            new_headers = {name.lower(): header for name, header in new_response.get("headers", {}).items()}
            for name, header in response.get("headers", {}).items():
                place = f"{where} {status} header {name}"
                if name.lower() not in new_headers:
                    yield f"{place}: removed"
                    continue
                header, new_header = self.both(header, new_headers[name.lower()])
                yield from self.schema(header.get("schema", {}), new_header.get("schema", {}), place, ANSWER)
            yield from self.content(response, new_response, f"{where} {status}", ANSWER)

    def content(self, old, new, where, direction):
        for media_type, content in old.get("content", {}).items():
            new_content = new.get("content", {}).get(media_type)
            if new_content is None:
                yield f"{where} {media_type}: removed"
            else:
                yield from self.schema(content.get("schema", {}), new_content.get("schema", {}), where, direction)

    def schema(self, old, new, where, direction):
        sources, targets = flow(direction, alternatives(old, self.before), alternatives(new, self.after))
        for source in sources:
            fitting = [target for target in targets if fits(source, target)]
            fitting = [target for target in fitting if is_same_component(source, target)] or fitting
            # Each pair as (old, new), whichever of them has to fit the other.
            pairs = [flow(direction, source, target) for target in fitting]
            found = [list(self.alternative(*pair, where, direction)) for pair in pairs]
            if not found:
                yield f"{where}: {direction} {kind(source)}"
            elif all(found):
                # One candidate says what is wrong with it; among several, none is the one that was meant.
                yield from found[0] if len(found) == 1 else [f"{where}: {direction} {kind(source)} as it is"]

    def alternative(self, old, new, where, direction):
        if not is_same_component(old, new):
            return self.shape(old, new, where, direction)
        component = old["name"], direction
        if component not in self.of_components:
            self.of_components[component] = []  # It may refer to itself.
            self.of_components[component] = list(self.shape(old, new, old["name"], direction))
        return self.of_components[component]

    def shape(self, old, new, where, direction):
        source, target = flow(direction, old, new)
        if "enum" in target:
            if "enum" not in source:
                yield f"{where}: {direction} values outside its enumeration"
            for value in source.get("enum", []):
                if value not in target["enum"]:
                    yield f"{where}: {direction} {json.dumps(value)}"
        if target.get("format", source.get("format")) != source.get("format"):
            yield f"{where}: {direction} what is not of the format {target['format']}"
        if direction is REQUEST:
            for bound, is_stricter in BOUNDS.items():
                value = new.get(bound)
                if value not in (None, False) and (bound not in old or is_stricter(value, old[bound])):
                    yield f"{where}: is now limited by {bound} {json.dumps(value)}"
        yield from self.properties(old, new, where, direction)
        if "items" in target:
            yield from self.schema(old.get("items", {}), new.get("items", {}), f"{where}[]", direction)

    def properties(self, old, new, where, direction):
        olds, news = old.get("properties", {}), new.get("properties", {})
        old_required, new_required = set(old.get("required", [])), set(new.get("required", []))
        for name, schema in olds.items():
            if name not in news:
                yield f"{where}.{name}: removed"
            else:
                yield from self.schema(schema, news[name], f"{where}.{name}", direction)
        if direction is REQUEST:
            yield from (f"{where}.{name}: is now required" for name in new_required - old_required)
        else:
            yield from (f"{where}.{name}: may now be absent" for name in (old_required - new_required) & set(news))
        old_rest, new_rest = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if direction is REQUEST and new_rest is False and old_rest is not False:
            yield f"{where}: no longer takes other properties"
        elif isinstance(old_rest, dict) and isinstance(new_rest, dict):
            yield from self.schema(old_rest, new_rest, f"{where}.*", direction)

    def both(self, old, new):
        return resolve(old, self.before)[0], resolve(new, self.after)[0]


def anonymous(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


def with_shared(item, method):
    """The operation with the parameters that its path has for all; its own win."""
    operation = item[method]
    own = operation.get("parameters", [])
    names = {(p.get("in"), p.get("name")) for p in own}
    shared = [p for p in item.get("parameters", []) if (p.get("in"), p.get("name")) not in names]
    return {**operation, "parameters": shared + own}


def is_public(operation, document):
    security = operation.get("security", document.get("security", []))
    return not security or {} in security


def key(parameter):
    name = parameter["name"]
    return parameter["in"], name.lower() if parameter["in"] == "header" else name


def in_path(parameters):
    return [parameter for (place, _), parameter in parameters.items() if place == "path"]


def resolve(value, document):
    """The value that a reference leads to, with what stands beside it, and the last name on the way."""
    name = None
    while "$ref" in value:
        beside = {k: v for k, v in value.items() if k != "$ref"}
        name = value["$ref"].rsplit("/", 1)[-1]
        target = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        value = {**target, **beside}
    return value, name


def alternatives(schema, document):
    """The shapes that a schema allows, each of one type, with the name of its component if it is one."""
    schema, name = resolve(schema, document)
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    if "allOf" in schema:
        schema = merged([{**schema, "allOf": []}, *(alternatives(part, document)[0] for part in schema["allOf"])])
    for union in ("oneOf", "anyOf"):
        if union in schema:
            beside = {k: v for k, v in schema.items() if k != union}
            return [{**beside, **one} for part in schema[union] for one in alternatives(part, document)]
    types = schema.get("type", "object" if "properties" in schema else None)
    return [{**schema, "type": one, "name": name} for one in (types if isinstance(types, list) else [types])]


def merged(parts):
    """One schema that asks what all of them ask."""
    whole = {k: v for part in reversed(parts) for k, v in part.items() if k != "allOf"}
    whole["properties"] = {k: v for part in parts for k, v in part.get("properties", {}).items()}
    whole["required"] = [name for part in parts for name in part.get("required", [])]
    return whole


def fits(source, target):
    return target["type"] in (None, source["type"]) or (source["type"], target["type"]) == ("integer", "number")


def is_same_component(one, other):
    return one.get("name") is not None and one.get("name") == other.get("name")


def kind(alternative):
    return alternative.get("name") or alternative["type"] or "anything"
