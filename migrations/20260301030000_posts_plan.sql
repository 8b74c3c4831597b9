-- When a post would have appeared that was scheduled by an author who may write no more: it is a draft, and is
-- scheduled again if the author gets the right back in time.
alter table posts add column planned_at timestamptz;
