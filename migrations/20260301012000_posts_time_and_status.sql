-- Where a post stands in the lists by time: at its publication or, a draft, at its creation. The planner puts the
-- expression in its place, which is that of the indexes.
create function post_time(published_at timestamptz, created_at timestamptz) returns timestamptz
  language sql immutable parallel safe
  return coalesce(published_at, created_at);

-- Where a post is on its way to its readers at a time.
create function post_status(published_at timestamptz, at timestamptz) returns text
  language sql immutable parallel safe
  return case when published_at is null then 'draft' when published_at > at then 'scheduled' else 'published' end;

-- Whether a comment of `author` waits for an editor: under the policy `first_held` if no comment of theirs but this
-- one is approved.
create function comment_waits(policy text, author uuid, comment uuid) returns boolean
  language plpgsql stable as $$
begin
  return case policy
    when 'all_held' then true
    when 'first_held' then not exists (
      select from comments
      where author_id = author and id <> comment and status = 'approved' and deleted_at is null)
    else false end;
end
$$;
