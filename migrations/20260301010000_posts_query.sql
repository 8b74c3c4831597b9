-- What is searched for. Immutable, which PostgreSQL cannot know of a configuration that is named by a text:
-- so the planner sees the query itself, and it is made once and not for every row.
--
-- Its cost is that of a plan for all values, which would make it for every row. The filters of a list of posts
-- may be null, and which index is right depends on which are not and on how rare a value is: after five
-- executions PostgreSQL compares the costs of planning for the values and of a plan for all, and at this cost
-- always plans for the values.
create function posts_query(language text, words text) returns tsquery
  language sql immutable strict parallel safe cost 1000000
  return websearch_to_tsquery(language::regconfig, words);
