"""What ten and a hundred times as many posts cost: every kind of page alone, the main reads under load, uncached."""

import json
import urllib.request

from . import load, postgres, servers
from .machine import commit, results, say, store
from .works import connections

SLOW_MS = 50
MAIN = [
    "post_all",
    "list",
    "list_tag",
    "list_rare_tag",
    "list_likes",
    "comments_all",
    "search_one",
    "search_some",
    "search_all",
    "search_phrase",
    "tags",
    "feed",
]
# Words and tags of the data set by how many posts have them.
SEARCHES = {
    "one": "onlyin777",
    "1 %": "quartz",
    "10 %": "harbour",
    "all": "blog",
    "two common": "granite+meadow",
    "two that all have": "blog+today",
    "phrase of two common": "%22granite+meadow%22",
    "phrase that all have": "%22this+blog%22",
    "common but one": "blog+-granite",
    "either": "quartz+or+harbour",
    "stop word": "and",
    "none": "nowhere",
}
TAGS = {
    "common": "tag7",
    "0.2 %": "topic77",
    "1 post": "rare1",
    "20 posts": "rare20",
    "only the oldest": "oldest",
    "none": "nothing",
}
SORTS = ["-published_at", "published_at", "-likes", "-comments", "title"]


def pages(database):
    """Every kind of page: its name, its path, and the token of who asks."""
    n = int(postgres.value("select posts from bench.size", database))
    post, hot, author, rare_author, user = postgres.sql(
        f"select bench.post_id({n - 100}), bench.post_id({n // 2}), bench.user_id(1), (select id from users where role = 'author' "
        "order by id desc limit 1), bench.user_id(2)",
        database,
    )[0]
    yield "post", f"/v1/posts/{post}", None
    yield "post by slug", f"/v1/posts/post-{n - 100}", None
    yield "post, signed in", f"/v1/posts/{post}", 5
    for sort in SORTS:
        yield f"list, sort={sort}", f"/v1/posts?sort={sort}", None
        yield f"list, sort={sort}, the last page but few", ("deep", f"/v1/posts?sort={sort}"), None
    for name, tag in TAGS.items():
        yield f"tag: {name}", f"/v1/posts?tag={tag}", None
        for sort in SORTS[1:]:
            yield f"tag: {name}, sort={sort}", f"/v1/posts?tag={tag}&sort={sort}", None
    for name, words in SEARCHES.items():
        yield f"search: {name}", f"/v1/posts?q={words}", None
        for sort in SORTS:
            yield f"search: {name}, sort={sort}", f"/v1/posts?q={words}&sort={sort}", None
    yield "search: all, in a common tag", "/v1/posts?q=blog&tag=tag7", None
    yield "search: all, in a rare tag", "/v1/posts?q=blog&tag=rare20", None
    yield "search: all, of an author", f"/v1/posts?q=blog&author={author}", None
    yield "search: all, in a rare language", "/v1/posts?q=blog&language=german", None
    for name, who in {"many posts": author, "few posts": rare_author}.items():
        yield f"author: {name}", f"/v1/posts?author={who}", None
        for sort in SORTS[1:]:
            yield f"author: {name}, sort={sort}", f"/v1/posts?author={who}&sort={sort}", None
        yield f"author: {name}, in a common tag", f"/v1/posts?author={who}&tag=tag7", None
        yield f"feed of an author: {name}", f"/feed.xml?author={who}", None
    yield "list, a rare language", "/v1/posts?language=german", None
    yield "list, before 2018", "/v1/posts?published_before=2018-01-01T00:00:00Z", None
    yield "list, after 2018, oldest first", "/v1/posts?published_after=2018-01-01T00:00:00Z&sort=published_at", None
    yield (
        "list, 2018, by likes",
        "/v1/posts?published_after=2018-01-01T00:00:00Z&published_before=2018-02-01T00:00:00Z&sort=-likes",
        None,
    )
    yield "comments", f"/v1/posts/{post}/comments", None
    yield "comments of the most discussed", f"/v1/posts/{hot}/comments", None
    yield "comments of the most discussed, deep", ("deep", f"/v1/posts/{hot}/comments"), None
    yield "tags by name", "/v1/tags", None
    yield "tags by count", "/v1/tags?sort=-posts", None
    yield "tags by prefix", "/v1/tags?q=rare", None
    yield "/feed.xml", "/feed.xml", None
    yield "/feed.json", "/feed.json", None
    yield "feed of a common tag", "/feed.xml?tag=tag7", None
    yield "feed of a rare tag", "/feed.xml?tag=rare20", None
    yield "/sitemap.xml", "/sitemap.xml", None
    yield "sitemap of a month", "/sitemap.xml?month=2020-06", None
    yield "users by prefix", "/v1/users?q=user1", 2
    yield "followers of many", f"/v1/users/{author}/followers", None
    yield "personal feed", "/v1/feed", 5
    yield "personal feed of who follows 999", "/v1/feed", 1
    yield "own sessions", "/v1/sessions", 5
    yield "own drafts", "/v1/posts?status=draft", 1
    for status in ("draft", "scheduled", "deleted"):
        yield f"editor: {status}", f"/v1/posts?status={status}", 3
        yield f"editor: {status}, by likes", f"/v1/posts?status={status}&sort=-likes", 3
    yield "editor: drafts of a search", "/v1/posts?status=draft&q=blog", 3
    yield "revisions of a post with 1,000", f"/v1/posts/{hot}/revisions", 3
    for status in ("pending", "approved", "spam"):
        yield f"editor: {status} comments", f"/v1/comments?status={status}", 3
    yield "editor: comments of an author", f"/v1/comments?author={author}", 3
    yield "editor: comments of a post", f"/v1/comments?post={hot}", 3
    yield "editor: open reports", "/v1/reports?status=open", 3
    yield "admin: audit", "/v1/audit", 2
    yield "admin: audit of an actor", f"/v1/audit?actor={user}", 2
    yield "admin: audit of a rare action", "/v1/audit?action=user.banned", 2
    yield "admin: audit of a target", f"/v1/audit?target={post}", 2


def deep(url, path):
    """A page far into a list, found by 20 steps of 100 rows."""
    cursor, separator = None, "&" if "?" in path else "?"
    for _ in range(20):
        step = f"{url}{path}{separator}limit=100" + (f"&cursor={cursor}" if cursor else "")
        with urllib.request.urlopen(step, timeout=30) as response:
            following = json.load(response)["next_cursor"]
        if following is None:
            break
        cursor = following
    return f"{path}{separator}cursor={cursor}" if cursor else path


def alone(server, database):
    """Each page, one request at a time."""
    figures = {}
    for name, path, who in pages(database):
        if isinstance(path, tuple):
            path = deep(server.url, path[1])
        figures[name] = load.alone(server.url, path, {"Authorization": f"Bearer blog_bench{who}"} if who else {})
        if figures[name]["ms"] > SLOW_MS or figures[name]["status"] >= 400:
            say(f"  {name}: {figures[name]['ms']:.0f} ms, status {figures[name]['status']}")
    return figures


def scale(options):
    program = servers.binary()
    earlier = results().get("scale", {})
    sizes = earlier["sizes"] if earlier.get("commit") == commit() else {}
    for posts in options.sizes:
        database = postgres.data_set(posts, program)
        ids = postgres.ids(database)
        size = int(postgres.value(f"select pg_database_size('{database}')"))
        with servers.service("uncached", program, database, CACHE_MAX_BYTES="0") as server:
            say(f"{posts:,} posts, {size / 2**30:.1f} GiB: every page alone")
            latencies = alone(server, database)
            loads = {}
            for work in MAIN:
                load.wrk(server.url, work, ids, 1, connections(work))
                loads[work] = load.median_of(
                    [load.wrk(server.url, work, ids, options.duration, connections(work)) for _ in range(options.runs)]
                )
                say(
                    f"{posts:,} posts  {work:14} {loads[work]['rps']:9,.0f}/s  p99 {loads[work]['p99']:.1f} ms  {loads[work]['errors']} errors"
                )
        sizes[str(posts)] = {"bytes": size, "alone": latencies, "load": loads}
        store("scale", {"duration": options.duration, "sizes": sizes})
