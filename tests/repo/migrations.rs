//! Migrations run while the previous version serves: none may lock a table that it uses for longer than a
//! moment, or take away what it needs. `docs/operations.md` has the rule and the ways around it.

use std::collections::BTreeSet;

use regex::Regex;

use crate::files;

/// A clause that blocks, unless it also matches the second pattern; and what to do instead.
const BLOCKING: [(&str, &str, &str); 14] = [
    ("^(create (unique )?|drop |re)index", "concurrently", "do it concurrently, in a migration of its own"),
    (
        r"^alter column \w+ (set data )?type",
        NEVER,
        "add a column, write both, read the new one, drop the old one",
    ),
    (r"^alter column \w+ set not null", NEVER, "add a check (… is not null) not valid, and validate it"),
    (r"^add (column )?.* not null", "default", "give the column a default"),
    (
        r"^add (column )?.* (references|check) ?",
        r"not valid|^add constraint",
        "add a constraint not valid, then validate it",
    ),
    (r"^add constraint \w+ (check|foreign key|not null)", "not valid", "add it not valid, then validate it"),
    (
        r"^add (constraint \w+ )?(unique|primary key)",
        "using index",
        "create the index concurrently, and use it",
    ),
    (r"^add (column )?.* (small|big)?serial|generated always as \(", NEVER, "it rewrites the table"),
    (
        r"default (gen_random_uuid|random|clock_timestamp|uuidv7|nextval)\(",
        NEVER,
        "it rewrites the table: fill it in batches",
    ),
    ("^rename", NEVER, "add the new name, use both, drop the old one later"),
    (
        "^drop (column|table|constraint|view|type|function)",
        CONTRACT,
        "say `-- contract: since when nothing uses it`",
    ),
    ("^(lock|cluster|vacuum full)", NEVER, "it locks everyone else out"),
    ("^refresh materialized view", "concurrently", "refresh it concurrently"),
    ("^(update|delete)", "where", "change rows in batches"),
];

const NEVER: &str = "^$";
const CONTRACT: &str = "-- contract: .+";

/// What is wrong with a migration.
fn objections(text: &str) -> Vec<String> {
    let is_outside = text.starts_with("-- no-transaction");
    let text = text.to_lowercase().lines().map(without_comment).collect::<Vec<_>>().join("\n");
    let statements: Vec<&str> = text.split(';').map(str::trim).filter(|text| !text.is_empty()).collect();
    let create = Regex::new(r"^create table (?:if not exists )?(\w+)").unwrap();
    let table =
        Regex::new(r"(?:^alter table (?:if exists |only )*| on |^update |^delete from )(\w+)").unwrap();
    let mut made = BTreeSet::new();
    let mut objections = Vec::new();
    for statement in &statements {
        let lines = statement.lines().filter(|line| !line.starts_with("--"));
        let sql = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        if let Some(found) = create.captures(&sql) {
            made.insert(found[1].to_owned());
            continue;
        }
        if sql.contains("concurrently") && !(is_outside && statements.len() == 1) {
            objections.push(format!("{sql}: needs `-- no-transaction` and a migration of its own"));
        }
        if table.captures(&sql).is_some_and(|found| made.contains(&found[1])) {
            continue;
        }
        for clause in clauses(&sql) {
            for (pattern, unless, instead) in BLOCKING {
                let excuse = if unless == CONTRACT { statement } else { clause };
                if matches(pattern, clause) && !matches(unless, excuse) {
                    objections.push(format!("{clause}: {instead}"));
                }
            }
        }
    }
    objections
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().is_match(text)
}

/// The line without its comment, unless that is the reason for a contraction.
fn without_comment(line: &str) -> String {
    if matches(CONTRACT, line) {
        line.trim().replace(';', ",")
    } else {
        line.split("--").next().unwrap_or_default().to_owned()
    }
}

/// The actions of an `alter table`, or the statement itself.
fn clauses(sql: &str) -> Vec<&str> {
    let Some(found) = Regex::new(r"^alter table (?:if exists |only )*\w+ ").unwrap().find(sql) else {
        return vec![sql];
    };
    let (mut clauses, mut depth, mut start) = (Vec::new(), 0, found.end());
    for (at, letter) in sql.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                clauses.push(sql[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    clauses.push(sql[start..].trim());
    clauses
}

#[test]
fn no_migration_blocks_the_version_that_serves() {
    for (path, text) in files("migrations", "sql") {
        assert_eq!(objections(&text), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn blocking_migrations_are_known() {
    for sql in [
        "create index posts_title_idx on posts (title)",
        "create unique index on posts (title)",
        "create table t (a int); create index concurrently on posts (title)",
        "create index concurrently posts_title_idx on posts (title)",
        "drop index posts_title_idx",
        "reindex index posts_title_idx",
        "alter table posts alter column title type varchar(10)",
        "alter table posts alter title_length set default 1, alter column version type bigint",
        "alter table posts alter column title set not null",
        "alter table posts add column likes integer not null",
        "alter table posts add likes integer not null",
        "alter table posts\n  add column a text,\n  add column b text not null",
        "alter table posts add column editor_id uuid references users",
        "alter table posts add constraint posts_title_check check (title <> '')",
        "alter table posts add constraint posts_editor_fkey foreign key (editor_id) references users",
        "alter table posts add constraint posts_title_key unique (title)",
        "alter table posts add primary key (id)",
        "alter table posts add column number bigserial",
        "alter table posts add column words int generated always as (length(body)) stored",
        "alter table posts add column key uuid not null default gen_random_uuid()",
        "alter table posts rename column title to headline",
        "alter table posts rename to articles",
        "alter table posts drop column summary",
        "drop table posts",
        "lock table posts",
        "vacuum full posts",
        "update posts set version = 1",
        "delete from sessions",
    ] {
        assert_ne!(objections(sql), Vec::<String>::new(), "{sql}");
    }
}

#[test]
fn expanding_migrations_are_let_through() {
    for sql in [
        "create table likes (id uuid primary key, n int not null); create index on likes (n); alter table likes add check (n > 0)",
        "-- no-transaction\ncreate index concurrently posts_title_idx on posts (title)",
        "-- no-transaction\n-- A reason.\ndrop index concurrently posts_title_idx",
        "alter table posts add column likes integer not null default 0",
        "alter table posts add column subtitle text, add column mood text",
        "alter table posts add constraint posts_title_check check (title <> '') not valid",
        "alter table posts validate constraint posts_title_check",
        "alter table posts add constraint posts_title_key unique using index posts_title_idx",
        "-- contract: nothing has used it since version 2\nalter table posts drop column summary",
        "update posts set version = 1 where id in (select id from posts limit 100)",
        "create type mood as enum ('sad')",
    ] {
        assert_eq!(objections(sql), Vec::<String>::new(), "{sql}");
    }
}
