-- What its owner decides about the whole site: always exactly one row.
create table site (
  id boolean primary key default true constraint site_id_check check (id),
  title text not null default 'Blog' constraint site_title_check check (char_length(title) between 1 and 200),
  description text constraint site_description_check check (char_length(description) between 1 and 500),
  comments_policy text not null default 'open'
    constraint site_comments_policy_check check (comments_policy in ('open', 'first_held', 'all_held', 'closed')),
  version bigint not null default 1,
  updated_at timestamptz not null default now()
);
insert into site default values;
