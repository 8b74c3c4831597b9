"""What is asked, by name: `lua/works.lua` has the requests."""

# name: (what a table calls it, whether the cache may answer it)
WORKS = {
    "health": ("`GET /health`", False),
    "post_hot": ("post, the newest 500", True),
    "post_all": ("post, any", True),
    "post_slug": ("post by slug, any", True),
    "list": ("list of 20, newest", True),
    "list_likes": ("list by likes", True),
    "list_tag": ("list of a common tag", True),
    "list_rare_tag": ("list of rare tags", True),
    "comments_hot": ("comments of the newest 500", True),
    "comments_all": ("comments of any post", True),
    "search_one": ("search that one post matches", True),
    "search_some": ("search that 1 % match", True),
    "search_all": ("search that all match", True),
    "search_phrase": ("phrase of two common words", True),
    "tags": ("tags by count", True),
    "feed": ("`/feed.xml`", True),
    "sitemap": ("`/sitemap.xml`", True),
    "post_signed": ("post, signed in", False),
    "list_signed": ("list, signed in", False),
    "timeline": ("personal feed", False),
    "me": ("own profile", False),
    "sign_in": ("sign in", False),
    "comment": ("comment", False),
    "comment_key": ("comment, with a key", False),
    "like": ("like and take it back", False),
    "publish": ("publish 4 kB", False),
    "edit": ("edit 4 kB", False),
    "mix": ("the mix", True),
}

# A task answers few of these at once and refuses the others: searches, filtered lists and feeds are asked over fewer
# connections than it lets wait, so that what is measured is their speed.
COSTLY = {
    "list_likes",
    "list_tag",
    "list_rare_tag",
    "search_one",
    "search_some",
    "search_all",
    "search_phrase",
    "tags",
    "feed",
    "sitemap",
    "timeline",
}


def connections(work):
    return 12 if work in COSTLY else 16 if work in ("mix", "sign_in") else 64


# What the limits and the peers do as well.
LIMIT = ["health", "post_hot", "post_all", "list", "comments_hot", "comments_all"]
DATABASE = {"post_all": "post", "list": "list", "comments_all": "comments", "comment": "comment-insert"}
PEERS = ["health", "post_hot", "post_all", "list", "comments_hot", "comments_all", "comment"]
WORDPRESS = ["post_hot", "post_all", "list", "comments_hot", "comments_all"]
