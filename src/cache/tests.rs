//! What counts and what does not, whatever the order of reads and changes; and the bounds.

use chrono::TimeDelta;

use super::*;

fn answer(body: &str) -> Answer {
    Answer { headers: HeaderMap::new(), body: Bytes::from(body.to_owned()), right_until: None, max_age: None }
}

fn cache() -> Cache {
    let cache = Cache::new(1024 * 1024);
    cache.changes().set_heard(true);
    cache
}

fn keep(cache: &Cache, key: &str, scope: Scope, before: Moment) {
    let expires = DateTime::UNIX_EPOCH + TimeDelta::seconds(10);
    cache.keep(key.to_owned(), answer(key), scope, expires, before);
}

fn has(cache: &Cache, key: &str) -> bool {
    cache.find(key, DateTime::UNIX_EPOCH).is_some_and(|found| found.body == key)
}

#[test]
fn an_answer_counts_until_what_it_shows_has_changed() {
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for (shown, changed, counts) in [
        (Scope::Of(one), Scope::Of(one), false),
        (Scope::Of(one), Scope::Of(other), true),
        (Scope::Of(one), Scope::Everything, false),
        (Scope::Of(one), Scope::Nothing, true),
        (Scope::Everything, Scope::Of(one), false),
        (Scope::Everything, Scope::Everything, false),
        (Scope::Everything, Scope::Nothing, true),
    ] {
        let cache = cache();
        keep(&cache, "answer", shown, cache.moment().unwrap());
        assert!(has(&cache, "answer"));
        cache.changed(changed);
        assert_eq!(has(&cache, "answer"), counts, "shows {shown:?}, changed {changed:?}");
    }
}

#[test]
fn what_was_read_before_a_change_and_put_here_after_it_never_counts() {
    let id = Uuid::from_u128(1);
    for scope in [Scope::Of(id), Scope::Everything] {
        let cache = cache();
        let before = cache.moment().unwrap();
        cache.changed(Scope::Of(id));
        keep(&cache, "answer", scope, before);
        assert!(!has(&cache, "answer"), "{scope:?}");
        keep(&cache, "answer", scope, cache.moment().unwrap());
        assert!(has(&cache, "answer"), "{scope:?}");
    }
}

#[test]
fn an_answer_expires() {
    let cache = cache();
    keep(&cache, "answer", Scope::Everything, cache.moment().unwrap());
    let after = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
    assert!(cache.find("answer", after(9)).is_some());
    assert!(cache.find("answer", after(10)).is_none());
}

#[test]
fn nothing_is_kept_or_found_while_the_other_tasks_are_not_heard() {
    let cache = cache();
    let before = cache.moment().unwrap();
    keep(&cache, "kept", Scope::Everything, before);
    cache.changes().set_heard(false);
    assert!(cache.moment().is_none() && !has(&cache, "kept"));
    keep(&cache, "late", Scope::Everything, before);
    cache.changes().set_heard(true);
    assert!(!has(&cache, "kept") && !has(&cache, "late"));
    keep(&cache, "late", Scope::Everything, before);
    assert!(!has(&cache, "late"));
}

#[test]
fn it_takes_no_more_memory_than_it_may() {
    let cache = cache();
    let body = "x".repeat(10_000);
    for number in 0..1000 {
        let (key, before) = (format!("/{number}"), cache.moment().unwrap());
        cache.keep(key, answer(&body), Scope::Everything, DateTime::<Utc>::MAX_UTC, before);
        assert!(cache.0.answers.weight() <= 1024 * 1024);
    }
    assert!(cache.0.answers.len() > 50);
    let large = answer(&"x".repeat(MAX_ANSWER + 1));
    cache.keep("large".into(), large, Scope::Everything, DateTime::<Utc>::MAX_UTC, cache.moment().unwrap());
    assert!(cache.find("large", DateTime::UNIX_EPOCH).is_none());
}

#[test]
fn other_tasks_understand_what_they_are_told() {
    let ids = |count| (0..count).map(|id| Scope::Of(Uuid::from_u128(id))).collect::<BTreeSet<_>>();
    let heard = |told: &BTreeSet<Scope>| parse(&format(told)).collect::<BTreeSet<_>>();
    let everything = BTreeSet::from([Scope::Everything]);
    assert_eq!(heard(&ids(3)), ids(3));
    assert_eq!(heard(&ids(100)), ids(100));
    assert_eq!(heard(&ids(101)), everything);
    assert_eq!(heard(&ids(3).into_iter().chain([Scope::Everything]).collect()), everything);
    assert_eq!(parse("what a later version may say").next(), Some(Scope::Everything));
    // PostgreSQL takes no more in one message.
    assert!(format(&ids(100)).len() < 8000);
}

#[test]
fn changes_wait_for_the_other_tasks_each_once() {
    let cache = cache();
    for _ in 0..3 {
        cache.changed(Scope::Of(Uuid::from_u128(1)));
        cache.changed(Scope::Everything);
        cache.changed(Scope::Nothing);
    }
    assert_eq!(cache.changes().untold.len(), 2);
}

#[tokio::test]
async fn one_asks_for_all_who_want_the_same_and_nobody_waits_for_long() {
    let cache = cache();
    let is_elsewhere = |key: &String| cache.place(key) != cache.place("same");
    let other = (0..100).map(|number| number.to_string()).find(is_elsewhere).unwrap();
    let first = cache.turn("same").await.unwrap();
    assert!(cache.turn(&other).await.is_some());
    let second = cache.turn("same");
    tokio::pin!(second);
    assert!(futures_util::poll!(&mut second).is_pending());
    assert!(cache.turn("same").await.is_none(), "who has waited too long asks too");
    drop(first);
    // By now it has waited as long, but the turn is free.
    assert!(second.await.is_some());
}
