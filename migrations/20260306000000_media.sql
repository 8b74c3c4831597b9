-- Pictures and files that users upload.

-- What is stored of them, each named by the SHA-256 of its bytes, and files also by what they are called. The row is there before the object and goes after it,
-- so that no object is without a row.
create table media_objects (
  name text primary key constraint media_objects_name_check check (name ~ '^[0-9a-f]{64}(/[0-9a-z-]{1,80})?[.][0-9a-z]{2,5}$'),
  -- When somebody was last about to store it; of a file that may still be uploaded, until when.
  announced_at timestamptz not null,
  -- False only if something refers to it.
  unused boolean not null default true,
  -- When its deletion began: from then on nothing may refer to it.
  deleting_at timestamptz
);
create index media_objects_unused on media_objects (announced_at) where unused;

create table media (
  id uuid primary key,
  -- Gone if the person is, while a post that stays shows it.
  owner_id uuid constraint media_owner_id_fkey references users on delete set null,
  object text not null constraint media_object_fkey references media_objects,
  content_type text not null,
  bytes bigint not null,
  -- Of a picture: in pixels, and the mean of its colours.
  width integer,
  height integer,
  color text constraint media_color_check check (color ~ '^#[0-9a-f]{6}$'),
  alt text,
  -- What a file that is no picture is called.
  filename text,
  -- With all variants.
  stored_bytes bigint not null,
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- When the last reference went that is known, or when it was uploaded; null if it is known to be referred to.
  unused_since timestamptz,
  constraint media_picture_check check ((width is null) = (height is null) and (width is null) = (color is null)
    and (width is null) = (filename is not null))
);
create index media_of_owner on media (owner_id, id) where owner_id is not null;
create index media_of_object on media (object);
create index media_unused on media (id) where unused_since is not null;
create index media_unused_of_owner on media (owner_id, id) where unused_since is not null;
create index media_unused_by_time on media (unused_since) where unused_since is not null;

-- Narrower copies of a picture.
create table media_variants (
  media_id uuid not null constraint media_variants_media_id_fkey references media on delete cascade,
  width integer not null,
  height integer not null,
  bytes bigint not null,
  object text not null constraint media_variants_object_fkey references media_objects,
  primary key (media_id, width)
);
create index media_variants_of_object on media_variants (object);

-- Files that are announced: whoever announced them may upload them to where objects are. Their bytes are counted already.
create table media_uploads (
  id uuid primary key,
  owner_id uuid not null constraint media_uploads_owner_id_fkey references users on delete cascade,
  object text not null constraint media_uploads_object_fkey references media_objects,
  content_type text not null,
  bytes bigint not null,
  filename text not null,
  created_at timestamptz not null
);
create index media_uploads_by_time on media_uploads (created_at);
create index media_uploads_of_owner on media_uploads (owner_id, id);
create index media_uploads_of_object on media_uploads (object);

-- How much each user has, for the quotas.
create table media_usage (
  user_id uuid primary key constraint media_usage_user_id_fkey references users on delete cascade,
  files bigint not null,
  bytes bigint not null
);

-- What the text of a post shows or links to, and its cover.
create table post_media (
  post_id uuid not null constraint post_media_post_id_fkey references posts on delete cascade,
  media_id uuid not null constraint post_media_media_id_fkey references media,
  is_cover boolean not null,
  primary key (post_id, media_id, is_cover)
);
create index post_media_of_media on post_media (media_id, is_cover, post_id);

-- The cover as it is shown, which is also in post_media.
alter table posts add column cover jsonb;
-- What its author has given for its alternative text.
alter table posts add column cover_alt text;

alter table users add column avatar_id uuid;
alter table users add constraint users_avatar_id_fkey foreign key (avatar_id) references media not valid;
-- The avatar as it is shown.
alter table users add column avatar jsonb;

-- However a reference goes, also with its post, what it was to may be unused from then on.
create function media_note_unused() returns trigger language plpgsql as $$
begin
  update media set unused_since = now() where id in (select media_id from gone);
  return null;
end $$;
create trigger post_media_note_unused after delete on post_media
  referencing old table as gone for each statement execute function media_note_unused();
create function users_note_unused_avatar() returns trigger language plpgsql as $$
begin
  update media set unused_since = now() where id = old.avatar_id;
  return null;
end $$;
create trigger users_note_unused_avatar after update of avatar_id on users
  for each row when (old.avatar_id is not null and new.avatar_id is distinct from old.avatar_id)
  execute function users_note_unused_avatar();
