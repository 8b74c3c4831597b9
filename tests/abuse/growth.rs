//! What PostgreSQL does with texts costs no more than their length: measured at one length and at twice that.

use crate::docker::sql;
use crate::stage::Stage;

/// Characters that its parser of texts treats in ways of their own.
const FRAGMENTS: [&str; 24] = [
    "a ",
    "a_",
    "a.",
    "a-",
    "a/",
    "a@",
    "a:",
    "a&",
    "a<",
    "<a ",
    "<a>",
    "&a;",
    "1.",
    "1e",
    "-1 ",
    "./",
    "http://",
    "a.b/",
    "'",
    "\"",
    "\\",
    "世",
    "ä\u{300}",
    "\u{200d}",
];
/// In characters; as many as a search reads at twice that.
const LENGTH: usize = 50_000;
/// Of a headline, which is made of less.
const HEADLINE: usize = 10_000;
/// Of a search, which has at most 200.
const QUERY: usize = 100;
/// Twice the length at most costs this many times as much; 4 would be quadratic.
const SUPERLINEAR: f64 = 3.0;
/// What is not worth comparing, in milliseconds.
const CHEAP: f64 = 20.0;

/// The least of two times that each of two expressions takes, in milliseconds.
async fn costs(short: &str, long: &str) -> (f64, f64) {
    let explain = |expression| format!("explain (analyze, timing off, format json) select {expression}");
    let both = format!("{}; {}; ", explain(short), explain(long));
    let plans = sql(&both.repeat(2)).await;
    let plans = serde_json::Deserializer::from_str(&plans).into_iter::<serde_json::Value>();
    let times: Vec<_> = plans.map(|plan| plan.unwrap()[0]["Execution Time"].as_f64().unwrap()).collect();
    (times[0].min(times[2]), times[1].min(times[3]))
}

pub(crate) async fn of_texts_and_queries(_: Stage) -> String {
    let mut most: f64 = 0.0;
    for fragment in FRAGMENTS {
        let quoted = fragment.replace('\'', "''");
        // Of the clock, so that it is not evaluated while it is planned.
        let text = |length: usize| {
            format!("left(repeat('{quoted}', {length}), {length}) || left(clock_timestamp()::text, 0)")
        };
        let vector = |length| format!("to_tsvector('english', posts_words({}))", text(length));
        let query = |length| format!("posts_query('english', {})", text(length));
        let headline = |length| {
            format!(
                "ts_headline('english', posts_words({}), posts_marked('english', 'a or 1'))",
                text(length)
            )
        };
        for (short, long) in [
            (vector(LENGTH), vector(2 * LENGTH)),
            (query(QUERY), query(2 * QUERY)),
            (headline(HEADLINE), headline(2 * HEADLINE)),
        ] {
            let costs = costs(&short, &long).await;
            assert!(costs.1 < CHEAP || costs.1 < SUPERLINEAR * costs.0, "{fragment:?}: {costs:?} ms: {long}");
            most = most.max(costs.1);
        }
    }
    format!("{} kinds of text, at most {most:.0} ms", FRAGMENTS.len())
}
