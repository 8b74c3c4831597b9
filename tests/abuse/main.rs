//! Attacks on the real image, on one task with half a CPU and the limits of production. Each is what one
//! address or account can do; meanwhile a bystander reads, and must notice nothing.
//! `make test-abuse`, or `make test-abuse ARGS='search reads'` for those with one of these in their name.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::format_collect, reason = "a body is written once")]

mod boot;
mod bystander;
mod connections;
#[path = "../container/docker.rs"]
#[expect(dead_code, reason = "tests/container does more with Docker")]
mod docker;
mod flood;
mod growth;
mod http;
mod legit;
mod memory;
mod reads;
mod responses;
mod search;
mod stage;
mod texts;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;

use crate::bystander::Bystander;
use crate::docker::compose;
use crate::stage::Stage;

const PROJECT: &str = "blog-api-abuse";
const OVERRIDE: &str = "tests/abuse/compose.yml";

/// What an idle task may work in a second, with the bystander's reads; half a processor has 500 ms.
const STILL_BUSY: Duration = Duration::from_millis(250);

/// Panics when its own answers are wrong; else a line of figures.
type Attack = fn(Stage) -> BoxFuture<'static, String>;

macro_rules! attacks {
    ($($name:literal: $function:path,)*) => {
        [$(($name, (|stage| Box::pin($function(stage))) as Attack)),*]
    };
}

#[tokio::main]
async fn main() -> ExitCode {
    let filters: Vec<_> = std::env::args().skip(1).collect();
    let mut attacks = attacks! {
        "legitimate: long texts": legit::long_texts,
        "legitimate: a hundred sign in": legit::a_hundred_sign_in,
        "legitimate: a long thread": legit::long_thread,
        "memory: sign-ins from one address": memory::sign_ins_from_one_address,
        "memory: sign-ins from many addresses": memory::sign_ins_from_many_addresses,
        "memory: sign-ups at once": memory::sign_ups,
        "memory: password changes at once": memory::password_changes,
        "texts: Markdown bombs in posts": texts::bombs_in_posts,
        "texts: Markdown bombs in comments": texts::bombs_in_comments,
        "texts: thread of unclosed formatting": texts::unclosed_thread,
        "texts: revisions of a long post": texts::storage,
        "texts: bulk moderation": texts::bulk_moderation,
        "search: expensive snippets": search::expensive_snippets,
        "search: words of a search index": search::many_words,
        "search: common words": search::common_words,
        "search: deep pages": search::deep_pages,
        "search: growth": growth::of_texts_and_queries,
        "responses: errors": responses::errors,
        "responses: anonymous errors": responses::anonymous_errors,
        "responses: long heads": responses::long_heads,
        "reads: anonymous": reads::anonymous,
        "reads: signed in": reads::signed_in,
        "reads: revisions": reads::revisions,
        "reads: slow exports": reads::slow_exports,
        "connections: unfinished": connections::unfinished,
        "boot: another migrates": boot::while_another_migrates,
        "boot: nobody answers": boot::while_nobody_answers,
    }
    .to_vec();
    attacks.retain(|(name, _)| filters.is_empty() || filters.iter().any(|filter| name.contains(filter)));
    if attacks.is_empty() {
        eprintln!("no attack has one of {filters:?} in its name");
        return ExitCode::FAILURE;
    }
    let Ok(stage) = tokio::spawn(Stage::up()).await else {
        eprintln!("{}", compose(&["logs", "--tail", "20", "migrate", "api"]).await);
        compose(&["down", "-v"]).await;
        return ExitCode::FAILURE;
    };
    let (mut passed, mut failed) = (0, 0);
    for (name, attack) in attacks {
        if run(name, attack, &stage).await { passed += 1 } else { failed += 1 }
    }
    compose(&["down", "-v"]).await;
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One attack, with the bystander beside it and for a little longer.
async fn run(name: &str, attack: Attack, stage: &Stage) -> bool {
    let start = Instant::now();
    // A task that an attack has ended comes again: the next one has its own verdict.
    compose(&["up", "--wait", "--no-build", "--no-deps", "--no-recreate", "api"]).await;
    let mut stage = stage.clone();
    (stage.base, stage.pid) = (stage::base().await, stage::pid().await.unwrap());
    let stage_pid = stage.pid;
    let bystander = Bystander::start(&stage);
    let result = tokio::spawn(attack(stage)).await;
    let busy = bystander::busy(stage_pid, Duration::from_secs(1)).await;
    let (seen, mut wrong) = bystander.finish().await;
    if busy > STILL_BUSY {
        wrong.push(format!("the task still works when all is over: {} ms of a second", busy.as_millis()));
    }
    let figures = match result {
        Ok(figures) => figures,
        Err(error) => {
            wrong.insert(0, panic_message(error));
            String::new()
        }
    };
    let took = start.elapsed().as_secs();
    if wrong.is_empty() {
        println!("ok      {name}: {figures}; {seen} ({took} s)");
    } else {
        println!("FAILED  {name}: {}; {figures} {seen} ({took} s)", wrong.join("; "));
    }
    wrong.is_empty()
}

fn panic_message(error: tokio::task::JoinError) -> String {
    let payload = error.into_panic();
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
