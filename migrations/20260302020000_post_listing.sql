-- What lists of posts filter and sort by, in narrow rows: those of `posts` are wide. `listed_at` is when a post appears or
-- has appeared, null of a draft and of a deleted post.
alter table post_stats
  add column listed_at timestamptz,
  add column deleted boolean not null default false,
  add column author_id uuid,
  add column language text;

-- Each tag of each post that is listed, so that a list by tag is read from an index, however rare the tag.
create table post_tags (
  post_id uuid not null constraint post_tags_post_id_fkey references post_stats on delete cascade,
  tag text not null,
  listed_at timestamptz not null,
  author_id uuid,
  language text not null,
  primary key (post_id, tag)
);
create index post_tags_by_time on post_tags (tag, listed_at desc, post_id desc) include (language);
create index post_tags_by_author on post_tags (tag, author_id, listed_at desc, post_id desc);

-- Makes both of these posts as they are. The rows of `post_stats` come first: they are locked until the transaction ends. To
-- plan for the ids each time would take ten times as long as this takes for one of them.
create function posts_list(ids uuid[]) returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
begin
  insert into post_stats as s (post_id, listed_at, deleted, author_id, language)
    select id, case when deleted_at is null then published_at end, deleted_at is not null, author_id, language from posts
    where id = any (ids) order by id
  on conflict (post_id) do update
    set listed_at = excluded.listed_at, deleted = excluded.deleted, author_id = excluded.author_id, language = excluded.language
    where (s.listed_at, s.deleted, s.author_id, s.language)
      is distinct from (excluded.listed_at, excluded.deleted, excluded.author_id, excluded.language);
  delete from post_tags t using posts p
    where p.id = any (ids) and t.post_id = p.id
      and (p.deleted_at is not null or p.published_at is null or t.tag <> all (p.tags));
  insert into post_tags as t (post_id, tag, listed_at, author_id, language)
    select distinct id, tag, published_at, author_id, language from posts cross join unnest(tags) as tag
    where id = any (ids) and deleted_at is null and published_at is not null
  on conflict (post_id, tag) do update
    set listed_at = excluded.listed_at, author_id = excluded.author_id, language = excluded.language
    where (t.listed_at, t.author_id, t.language) is distinct from (excluded.listed_at, excluded.author_id, excluded.language);
end $$;

-- Called for each new post since there are stats; now for changes too.
create or replace function posts_add_stats() returns trigger language plpgsql as $$
begin
  perform posts_list(array[new.id]);
  return null;
end $$;
create trigger posts_change_listing after update of tags, author_id, language, published_at, deleted_at on posts for each row
  when ((old.tags, old.author_id, old.language, old.published_at, old.deleted_at)
    is distinct from (new.tags, new.author_id, new.language, new.published_at, new.deleted_at))
  execute function posts_add_stats();

-- The same for every post that is there, in transactions of 500. Their rows of `post_stats` are locked before the posts are
-- read: so of two that do this for a post at once, the second sees what the first has done.
create procedure posts_list_all() language plpgsql as $$
declare
  batch uuid[] := array['00000000-0000-0000-0000-000000000000'];
begin
  loop
    batch := array(select post_id from post_stats where post_id > batch[cardinality(batch)] order by post_id limit 500
                   for no key update);
    exit when batch = '{}';
    perform posts_list(batch);
    commit;
  end loop;
end $$;
