"""Reads the feeds and the sitemap at BASE_URL as their readers do, and sees that nothing is lost on the way."""

import json
import os
from datetime import datetime
from urllib.request import Request, urlopen

import feedparser
from usp.tree import sitemap_from_str

BASE_URL, PUBLIC_URL = os.environ["BASE_URL"], os.environ["PUBLIC_URL"]
# Nobody writes like this, so someone will: markup, what XML forbids, what ends a CDATA section, a link without a host.
TITLE = "<b>& \"odd\" 'too' ]]> &amp; \ufffe 🦀"
BODY = "&#1; *text* `]]>` [a](/about?x=1&y=2) ![b](b.png)\n\n<script>alert(1)</script> &lt;i&gt; \uffff"


def call(path, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = json.dumps(body).encode() if body else None
    with urlopen(Request(BASE_URL + path, data, headers)) as response:
        return response.headers["Content-Type"], response.read().decode()


def publish():
    _, session = call("/v1/sessions", {"email": "grace@example.com", "password": "correct horse battery"})
    post = {"title": TITLE, "body": BODY, "summary": "<s> &", "tags": ["c++ & <c>"], "status": "published"}
    return json.loads(call("/v1/posts", post, json.loads(session)["token"])[1])


def check_atom(posts):
    media_type, _ = call("/feed.xml")
    assert media_type == "application/atom+xml", media_type
    # By its address, so that the headers count too.
    feed = feedparser.parse(f"{BASE_URL}/feed.xml")
    assert not feed.bozo, feed.bozo_exception
    assert feed.version == "atom10" and feed.feed.title == "Blog", feed.feed
    assert feed.feed.id == f"{PUBLIC_URL}/feed.xml" and feed.feed.link == f"{PUBLIC_URL}/", feed.feed
    assert [link.href for link in feed.feed.links if link.rel == "self"] == [f"{BASE_URL}/feed.xml"]
    assert feed.feed.updated_parsed == max(entry.updated_parsed for entry in feed.entries)
    assert [entry.id for entry in feed.entries] == [f"urn:uuid:{post['id']}" for post in posts]
    for entry, post in zip(feed.entries, posts):
        assert entry.link == f"{PUBLIC_URL}/posts/{post['slug']}", entry.link
        assert entry.published_parsed <= entry.updated_parsed, entry
        assert entry.author == post["author"]["display_name"], entry
        assert [tag.term for tag in entry.tags] == post["tags"], entry
        assert entry.summary_detail.value == post["summary"], entry
        assert entry.content[0].type == "text/html" and "<p>" in entry.content[0].value, entry
    odd = feed.entries[0]
    assert odd.title == TITLE.replace("\ufffe", "\ufffd"), odd.title
    text = odd.content[0].value
    assert '"https://blog.example/about?x=1&amp;y=2"' in text, text
    assert f'"{PUBLIC_URL}/posts/b.png"' in text, text
    assert "<script" not in text and "&lt;i&gt;" in text, text
    by_author = [post for post in posts if post["author"] == posts[0]["author"]]
    author = posts[0]["author"]["id"]
    for query, count in [("tag=c%2B%2B+%26+%3Cc%3E", 1), (f"author={author}", len(by_author)), ("tag=none", 0)]:
        limited = feedparser.parse(f"{BASE_URL}/feed.xml?{query}")
        assert not limited.bozo and len(limited.entries) == count, (query, limited)
    return feed


def check_json(posts, atom):
    media_type, document = call("/feed.json")
    assert media_type == "application/feed+json", media_type
    feed = json.loads(document)
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and feed["title"] == "Blog", feed
    assert feed["home_page_url"] == f"{PUBLIC_URL}/" and feed["feed_url"] == f"{BASE_URL}/feed.json", feed
    assert [item["id"] for item in feed["items"]] == [entry.id for entry in atom.entries]
    for item, entry, post in zip(feed["items"], atom.entries, posts):
        assert item["url"] == entry.link and item["title"] == post["title"], item
        assert isinstance(item["content_html"], str) and item["summary"] == post["summary"], item
        assert [author["name"] for author in item["authors"]] == [entry.author], item
        assert item["tags"] == post["tags"], item
        assert datetime.fromisoformat(item["date_published"]) <= datetime.fromisoformat(item["date_modified"]), item


def check_sitemap(posts):
    media_type, document = call("/sitemap.xml")
    assert media_type == "application/xml", media_type
    pages = list(sitemap_from_str(document).all_pages())
    assert [page.url for page in pages] == [f"{PUBLIC_URL}/posts/{post['slug']}" for post in posts], pages
    for page, post in zip(pages, posts):
        updated_at = datetime.fromisoformat(post["updated_at"]).replace(microsecond=0)
        assert page.last_modified == updated_at, (page, post)


publish()
posts = json.loads(call("/v1/posts")[1])["items"]
assert len(posts) >= 4, posts
check_json(posts, check_atom(posts))
check_sitemap(posts)
print(f"feeds: {len(posts)} posts, as others read them")
