"""Small files that would take all memory, or a processor for ever, are refused or cost little; one after another."""

import time
import unittest

from blog import Blog, is_problem
from bombs import BOMBS, MIB
from pictures import corners, saved

MEMORY_MIB = 512


class Bombs(unittest.TestCase):
    def test_none_takes_more_than_a_task_has(self):
        wrong = []
        with Blog() as blog:
            print()
            for name, make in BOMBS.items():
                data = make()
                before, began = blog.memory_mib(), time.monotonic()
                answer = blog.upload(data)
                seconds, memory = time.monotonic() - began, blog.memory_mib()
                said = "".join(f" {error['detail']}" for error in answer.body.get("errors", []))
                print(f"{name}: {len(data) / MIB:.2f} MiB, {answer.status}{said}, {seconds:.1f} s, {memory} MiB at most")
                if answer.status != 201 and not is_problem(answer):
                    wrong.append(f"{name}: {answer.status} {answer.body}")
                if memory >= MEMORY_MIB > before:
                    wrong.append(f"{name}: takes {memory} MiB")
                after = blog.upload(saved(corners(), "PNG"))
                self.assertEqual(after.status, 201, f"after {name}")
            self.assertNotIn("panicked", blog.log())
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_too_many_bytes_are_refused(self):
        with Blog() as blog:
            for length in (20 * MIB + 1, 25 * MIB, 100 * MIB):
                answer = blog.upload(b"\xff\xd8\xff" + bytes(length - 3))
                self.assertEqual((answer.status, is_problem(answer)), (413, True))
            self.assertEqual(blog.upload(b"\xff\xd8\xff" + bytes(20 * MIB - 3)).status, 422)
