//! What is valid and what is not, whatever the order of reads and changes; single flight; and the bounds.

use chrono::TimeDelta;
use futures_util::future::select;
use uuid::Uuid;

use super::*;

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn response(body: &str, scope: Scope) -> CachedResponse {
    let policy = CachePolicy::showing(scope);
    CachedResponse { headers: HeaderMap::new(), body: Bytes::from(body.to_owned()), policy }
}

fn cache() -> Cache {
    let cache = Cache::new(1024 * 1024);
    cache.state().set_connected(true);
    cache
}

async fn load<'a>(cache: &'a Cache, key: &str) -> Load<'a> {
    match cache.lookup(key.to_owned(), NOW).await {
        Lookup::Miss(load) => load,
        Lookup::Hit(_) => panic_with("a hit"),
        Lookup::Bypass => panic_with("a bypass"),
    }
}

fn panic_with(lookup: &str) -> ! {
    unreachable!("{lookup} instead of a miss")
}

async fn insert(cache: &Cache, key: &str, scope: Scope) {
    load(cache, key).await.insert(response(key, scope), NOW);
}

fn has(cache: &Cache, key: &str) -> bool {
    cache.get(key, NOW).is_some_and(|found| found.body == key)
}

#[tokio::test]
async fn a_response_is_valid_until_what_it_shows_has_changed() {
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    for (shown, changed, is_valid) in [
        (Scope::Resource(one), Scope::Resource(one), false),
        (Scope::Resource(one), Scope::Resource(other), true),
        (Scope::Resource(one), Scope::Everything, false),
        (Scope::Resource(one), Scope::Nothing, true),
        (Scope::Everything, Scope::Resource(one), false),
        (Scope::Everything, Scope::Everything, false),
        (Scope::Everything, Scope::Nothing, true),
    ] {
        let cache = cache();
        insert(&cache, "key", shown).await;
        assert!(has(&cache, "key"));
        cache.invalidate(changed);
        assert_eq!(has(&cache, "key"), is_valid, "shows {shown:?}, changed {changed:?}");
    }
}

#[tokio::test]
async fn what_was_read_before_a_change_and_inserted_after_it_is_never_served() {
    let id = Uuid::from_u128(1);
    for scope in [Scope::Resource(id), Scope::Everything] {
        let cache = cache();
        let before = load(&cache, "key").await;
        cache.invalidate(Scope::Resource(id));
        before.insert(response("key", scope), NOW);
        assert!(!has(&cache, "key"), "{scope:?}");
        insert(&cache, "key", scope).await;
        assert!(has(&cache, "key"), "{scope:?}");
    }
}

#[tokio::test]
async fn a_response_expires_with_its_policy() {
    let after = |seconds| NOW + TimeDelta::seconds(seconds);
    for (policy, last_second) in [
        (CachePolicy::default(), 9),
        (CachePolicy::until(Some(after(3))), 2),
        (CachePolicy::until(Some(after(30))), 9),
        (CachePolicy::Shared { max_age: Duration::from_mins(1), until: None }, 9),
    ] {
        let cache = cache();
        let response = CachedResponse { policy, ..response("", Scope::Everything) };
        load(&cache, "key").await.insert(response, NOW);
        assert!(cache.get("key", after(last_second)).is_some(), "{policy:?}");
        assert!(cache.get("key", after(last_second + 1)).is_none(), "{policy:?}");
    }
    let private = CachedResponse { policy: CachePolicy::Private, ..response("", Scope::Everything) };
    let cache = cache();
    load(&cache, "key").await.insert(private, NOW);
    assert!(cache.get("key", NOW).is_none());
}

#[tokio::test]
async fn nothing_is_inserted_or_found_while_the_bus_is_not_connected() {
    let cache = cache();
    insert(&cache, "early", Scope::Everything).await;
    let late = load(&cache, "late").await;
    cache.state().set_connected(false);
    assert!(matches!(cache.lookup("early".to_owned(), NOW).await, Lookup::Bypass));
    late.insert(response("late", Scope::Everything), NOW);
    let late = Load { cache: &cache, key: "late".to_owned(), guard: None, generation: Generation(0) };
    cache.state().set_connected(true);
    late.insert(response("late", Scope::Everything), NOW);
    assert!(!has(&cache, "early") && !has(&cache, "late"));
}

#[tokio::test]
async fn it_takes_no_more_memory_than_it_may() {
    let cache = cache();
    let body = "x".repeat(10_000);
    for number in 0..1000 {
        load(&cache, &format!("/{number}")).await.insert(response(&body, Scope::Everything), NOW);
        assert!(cache.0.entries.weight() <= 1024 * 1024);
    }
    assert!(cache.0.entries.len() > 50);
    let large = response(&"x".repeat(MAX_BODY + 1), Scope::Everything);
    load(&cache, "large").await.insert(large, NOW);
    assert!(cache.get("large", NOW).is_none());
}

#[test]
fn other_tasks_understand_what_they_are_sent() {
    let ids = |count| (0..count).map(|id| Scope::Resource(Uuid::from_u128(id))).collect::<BTreeSet<_>>();
    let received = |sent: &BTreeSet<Scope>| bus::parse(&bus::format(sent)).collect::<BTreeSet<_>>();
    let everything = BTreeSet::from([Scope::Everything]);
    assert_eq!(received(&ids(3)), ids(3));
    assert_eq!(received(&ids(100)), ids(100));
    assert_eq!(received(&ids(101)), everything);
    assert_eq!(received(&ids(3).into_iter().chain([Scope::Everything]).collect()), everything);
    assert_eq!(bus::parse("what a later version may send").next(), Some(Scope::Everything));
    // PostgreSQL takes no more in one message.
    assert!(bus::format(&ids(100)).len() < 8000);
}

#[test]
fn changes_wait_for_the_bus_each_once() {
    let cache = cache();
    for _ in 0..3 {
        cache.invalidate(Scope::Resource(Uuid::from_u128(1)));
        cache.invalidate(Scope::Everything);
        cache.invalidate(Scope::Nothing);
    }
    assert_eq!(cache.state().pending.len(), 2);
}

#[tokio::test]
async fn one_loads_for_all_who_want_the_same() {
    let cache = cache();
    let first = load(&cache, "same").await;
    drop(load(&cache, "other").await);
    let second = cache.lookup("same".to_owned(), NOW);
    tokio::pin!(second);
    assert!(futures_util::poll!(&mut second).is_pending());
    first.insert(response("same", Scope::Everything), NOW);
    assert!(matches!(second.await, Lookup::Hit(found) if found.body == "same"));

    // What has become invalid is loaded anew, again by one.
    cache.invalidate(Scope::Everything);
    let first = load(&cache, "same").await;
    let (second, third) = (cache.lookup("same".to_owned(), NOW), cache.lookup("same".to_owned(), NOW));
    let (mut second, mut third) = (Box::pin(second), Box::pin(third));
    assert!(futures_util::poll!(&mut second).is_pending() && futures_util::poll!(&mut third).is_pending());
    // Of one that has nothing to insert, another takes the place.
    drop(first);
    let (next, mut last) = select(second, third).await.factor_first();
    let Lookup::Miss(next) = next else { panic_with("something else") };
    assert!(futures_util::poll!(&mut last).is_pending());
    next.insert(response("same", Scope::Everything), NOW);
    assert!(matches!(last.await, Lookup::Hit(_)));
}

#[tokio::test]
async fn who_has_waited_too_long_loads_too() {
    let cache = cache();
    let slow = load(&cache, "same").await;
    let impatient = load(&cache, "same").await;
    impatient.insert(response("same", Scope::Everything), NOW);
    assert!(has(&cache, "same"));
    slow.insert(response("same", Scope::Everything), NOW);
    assert!(has(&cache, "same"));
}
