"""A page that is not true is found out."""

import unittest

import guide

PAGE = """
```sh
list=/posts
call $list
# 200 {"items": [{"slug": "a", "likes": 1}, {"slug": "…"}], "next_cursor": null}
# ETag: "…"
call $list -d x
# 422
```

```json
# 500
```
"""
BODY = '{"items":[{"slug":"a","likes":1,"more":2},{"slug":"b"}],"next_cursor":null,"more":2}'


def answer(status=200, etag='etag: "1"\r\n', body=BODY):
    return f"HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\n{etag}\r\n{body}\n"


class Guide(unittest.TestCase):
    def claims(self):
        return next(iter(guide.steps(PAGE)))[2]

    def test_the_commands_of_a_page_are_told_apart_by_their_claims(self):
        found = [(line, command, [claim.status for claim in claims]) for line, command, claims in guide.steps(PAGE)]
        self.assertEqual([(3, ["list=/posts", "call $list"], [200]), (7, ["call $list -d x"], [422])], found)

    def test_what_is_as_the_page_says_passes(self):
        self.assertEqual([], list(guide.faults(answer(), self.claims())))

    def test_what_is_not_is_named(self):
        cases = {
            "line 5: the status is 500, not 200": answer(status=500),
            "line 5: ETag is None, not '\"…\"'": answer(etag=""),
            "line 5: body.next_cursor is missing": answer(body=BODY.replace("next_cursor", "cursor")),
            "line 5: body.next_cursor is 'x', not None": answer(body=BODY.replace("null", '"x"')),
            "line 5: body.items[0].likes is 2, not 1": answer(body=BODY.replace('"likes":1', '"likes":2')),
            "line 5: body.items[0].likes is True, not 1": answer(body=BODY.replace('"likes":1', '"likes":true')),
            "line 5: body.items[0].slug is 'ab', not 'a'": answer(body=BODY.replace('"a"', '"ab"')),
            "line 5: body.items has 1 items, not 2": answer(body=BODY.replace(',{"slug":"b"}', "")),
            "line 5: the body is not JSON": answer(body="<html>"),
            "0 answers, 1 claims": "curl: (7) Failed to connect",
            "2 answers, 1 claims": answer() + "\n" + answer(),
        }
        for fault, output in cases.items():
            with self.subTest(fault):
                self.assertEqual([fault], list(guide.faults(output, self.claims())))


if __name__ == "__main__":
    unittest.main()
