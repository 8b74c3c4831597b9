"""Changes of JSON-like data, at a path such as `service.events.0`: deliberate mistakes are made of them."""


def at(data, path):
    """What holds the last part of the path, and that part."""
    *parts, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parts:
        data = data[part]
    return data, last


def put(path, value):
    def change(data):
        holder, key = at(data, path)
        holder[key] = value

    return change


def update(path, **values):
    def change(data):
        holder, key = at(data, path)
        holder[key].update(values)

    return change


def add(path, value):
    def change(data):
        holder, key = at(data, path)
        holder[key].append(value)

    return change


def drop(path):
    def change(data):
        holder, key = at(data, path)
        del holder[key]

    return change
