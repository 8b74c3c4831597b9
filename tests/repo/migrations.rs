//! Migrations run while the previous version serves: none may lock a table that it uses for longer than a
//! moment, or take away what it needs. `docs/operations.md` has the rule and the ways around it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::files;

/// A clause that blocks, unless it also matches the second pattern; and what to do instead.
const BLOCKING: [(&str, &str, &str); 21] = [
    ("^(create (unique )?|drop |re)index", "concurrently", "do it concurrently, in a migration of its own"),
    (
        r"^alter (column )?\w+ (set data )?type",
        NEVER,
        "add a column, write both, read the new one, drop the old one",
    ),
    (
        r"^alter (column )?\w+ set not null",
        "-- contract: .*check",
        "add a check (… is not null) not valid, validate it, and say `-- contract: which check proves it`",
    ),
    ("^add (column )?.* not null", r" default |^add (constraint|not null)\b", "give the column a default"),
    (
        r"^add (column )?.* (references|check|unique|primary key)\b",
        r"^add (constraint|check|foreign key|unique|primary key|exclude)\b",
        "add the column alone, then a constraint not valid, then validate it",
    ),
    (
        r"^add (constraint \w+ )?(check|foreign key|not null)\b",
        "not valid",
        "add it not valid, then validate it",
    ),
    (
        r"^add (constraint \w+ )?(unique|primary key)\b",
        "using index",
        "create the index concurrently, and use it",
    ),
    (r"^add (constraint \w+ )?exclude\b", NEVER, "it reads the table while nobody writes"),
    (r"^add (column )?.* ((small|big)?serial\b|generated )", NEVER, "it rewrites the table"),
    (
        r"^add (column )?.* default \S*\w\(",
        r" default now\(",
        "it may rewrite the table: give a constant, and fill the rest in batches",
    ),
    ("^set (tablespace|logged|unlogged|access method)", NEVER, "it rewrites the table"),
    (r"^attach\b", NEVER, "it reads the table while nobody writes"),
    (
        r"^(alter (type|domain|view|schema) \w+ )?rename\b",
        NEVER,
        "add the new name, use both, drop the old one later",
    ),
    (r"^alter domain \w+ add\b", "not valid", "add it not valid, then validate it"),
    (
        r"^drop (column|constraint|table|(materialized )?view|type|domain|function|procedure|schema|sequence|extension|trigger|policy|rule)\b",
        CONTRACT,
        DROPPED,
    ),
    (r"^drop (if exists )?\w+( cascade| restrict)?$", CONTRACT, DROPPED),
    (r"^(lock|cluster|vacuum|truncate)\b", NEVER, "it locks everyone else out"),
    ("^refresh materialized view", "concurrently", "refresh it concurrently"),
    (r"^(update|delete|with .* (update|delete))\b", "where", "change rows in batches"),
    (r"^do\b", NEVER, "say it in statements, which can be looked at"),
    (r"^create table if not exists\b", NEVER, "a migration knows whether there is a table"),
];

const NEVER: &str = "^$";
const CONTRACT: &str = "-- contract: .+";
const DROPPED: &str = "say `-- contract: since when nothing uses it`";

static RULES: LazyLock<Vec<(Regex, Regex, &str)>> = LazyLock::new(|| {
    let compile = |pattern| Regex::new(pattern).unwrap();
    BLOCKING.map(|(blocks, unless, instead)| (compile(blocks), compile(unless), instead)).to_vec()
});

/// What is wrong with a migration.
fn objections(text: &str) -> Vec<String> {
    let is_outside = text.starts_with("-- no-transaction");
    let text = plain(&text.to_lowercase());
    let statements: Vec<&str> = text.split(';').map(str::trim).filter(|text| !text.is_empty()).collect();
    let create = Regex::new(r"^create (?:unlogged )?table (\w+) ?\(").unwrap();
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
            for (blocks, unless, instead) in &*RULES {
                let excuse = if unless.as_str().starts_with("-- contract") { statement } else { clause };
                if blocks.is_match(clause) && !unless.is_match(excuse) {
                    objections.push(format!("{clause}: {instead}"));
                }
            }
        }
    }
    objections
}

/// Without what is no statement (comments, but for the reason of a contraction, and what is quoted), and with
/// the names as they are said without quotes and schema.
fn plain(text: &str) -> String {
    let quoted =
        Regex::new(r#"(?s)--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$\w*\$.*?\$\w*\$|"|\bpublic\."#).unwrap();
    let contract = Regex::new(CONTRACT).unwrap();
    let text = quoted.replace_all(text, |found: &Captures<'_>| match &found[0] {
        comment if contract.is_match(comment) => format!("\n{}\n", comment.replace(';', ",")),
        literal if literal.starts_with('\'') => "''".to_owned(),
        body if body.starts_with('$') => "$$".to_owned(),
        "\"" | "public." => String::new(),
        _ => " ".to_owned(),
    });
    text.into_owned()
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
        // Without the word `column`, in capitals, with quotes, with a schema, on several lines.
        "alter table posts alter title type text",
        "alter table posts alter title set not null",
        "alter table posts drop summary",
        "alter table posts drop if exists summary cascade",
        "ALTER TABLE posts\n  ADD COLUMN\n  likes integer\n  NOT NULL",
        "alter table public.posts add column if not exists likes integer not null",
        "alter table if exists only \"posts\" alter \"title\" type text",
        // What looks like an excuse, in a comment, a name or a text.
        "/* concurrently */ create index on posts (title) -- concurrently",
        "alter /* nothing */ table posts drop column summary",
        "alter table posts add column likes integer /* default 0 */ not null",
        "alter table posts add column default_role text not null",
        "alter table posts add constraint a check (title <> 'not valid')",
        "alter table posts -- contract: nothing uses it\n drop column summary, alter title set not null",
        "-- contract: nothing uses it\nselect 1; alter table posts drop column summary",
        "create table if not exists posts (id int); create index on posts (title)",
        "create table other (id int); alter table posts drop column summary",
        "do $$ begin alter table posts drop column summary; end $$",
        // Constraints without a name, or with their column.
        "alter table posts add check (title <> '')",
        "alter table posts add foreign key (editor_id) references users",
        "alter table posts add constraint \"a\" check (title <> '')",
        "alter table posts validate constraint a, add column likes int not null",
        "alter table posts add column a int unique",
        "alter table posts add column a int primary key",
        "alter table posts add column a text check (a <> '')",
        "alter table posts add exclude using gist (period with &&)",
        // Rewrites.
        "alter table posts add column a int generated always as identity",
        "alter table posts add column a uuid not null default public.gen_random_uuid()",
        "alter table posts add column a text not null default timeofday()::text",
        "alter table posts set unlogged",
        "alter type mood rename value 'sad' to 'glad'",
        "alter domain slug add check (value <> '')",
        "drop trigger posts_set_search on posts",
        "drop schema old cascade",
        "truncate posts",
        "with old as (select 1) delete from sessions",
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
        "-- contract: the check posts_title_given proves it\nalter table posts alter column title set not null",
        "-- contract: nothing has used it since version 2; nor will it\nalter table posts drop summary",
        "alter table posts add column seen_at timestamptz not null default now()",
        "alter table posts alter column title drop not null, alter column summary set default 'drop; column'",
        "create function f() returns trigger language plpgsql as $$ begin update posts set version = 1; end $$",
        "-- It's about time; drop column summary\nalter table posts add column check_in int, add column uniqueness int",
    ] {
        assert_eq!(objections(sql), Vec::<String>::new(), "{sql}");
    }
}
