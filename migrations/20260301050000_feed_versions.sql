-- What each feed and sitemap showed when it was last asked for, as a hash, and since when: its `Last-Modified`. So a
-- change is known by the document, whatever has changed it: a post, an author, the renderer, the configuration.
create table feed_versions (
  name text primary key,
  digest text not null,
  changed_at timestamptz not null
);
