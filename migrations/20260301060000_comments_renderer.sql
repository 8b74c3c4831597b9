-- The version of the renderer that made `body_html`, as for posts: what an earlier one made is rendered anew in the
-- background. The previous version of the service leaves it at 0.
alter table comments add column renderer smallint not null default 0;
