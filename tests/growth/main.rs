//! Looks for input whose cost grows faster than its length. All Markdown and HTML constructs, alone and in
//! pairs, are rendered and compared at one length and at twice that; so are the JSON bodies of a request read
//! and refused. What seems to grow faster is measured again at larger lengths, up to the largest there may be.
//! `make test-growth`, or parts of it: `ARGS='reading'`, `ARGS='rendering comparing'`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bodies;
mod texts;

use std::fmt::Debug;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use blog_api::markdown::Renderer;
use blog_api::posts::model::diff;
use tokio::runtime::Runtime;
use uuid::Uuid;

use bodies::Body;
use texts::{Shape, Text};

/// Of the cost of twice the length to the cost of the length; 2 is linear, 4 is quadratic.
const SUPERLINEAR: f64 = 2.8;
/// What is not worth a second look.
const CHEAP: Duration = Duration::from_millis(4);
/// What input may cost that grows faster and is refused before it is long: unoptimized, on a busy machine.
const TOLERABLE: Duration = Duration::from_secs(4);

/// The lengths that one kind of input is tried at, in bytes; it may be a little longer.
#[derive(Clone, Copy)]
struct Lengths {
    /// What is tried first, and then twice that.
    first: usize,
    longest: usize,
}

const TEXTS: Lengths = Lengths { first: 2_500, longest: 160_000 };
const BODIES: Lengths = Lengths { first: 128 * 1024, longest: 1024 * 1024 };

/// The least of several times that `work` takes on the input of this length.
fn cost(tries: usize, length: usize, input: impl Fn(usize) -> String, work: impl Fn(&str)) -> Duration {
    let input = input(length);
    let timed = |_| {
        let start = Instant::now();
        work(&input);
        start.elapsed()
    };
    (0..tries).map(timed).min().unwrap_or_default()
}

/// The lengths and costs that show it, if the cost grows faster than the length and becomes intolerable.
fn grows(
    lengths: Lengths,
    input: impl Fn(usize) -> String + Copy,
    work: impl Fn(&str) + Copy,
) -> Option<String> {
    let mut length = lengths.first;
    let mut short = cost(1, length, input, work);
    let mut seen = vec![(length, short)];
    while length < lengths.longest {
        let mut long = cost(1, 2 * length, input, work);
        let ratio = |long: Duration, short: Duration| long.as_secs_f64() / short.as_secs_f64();
        if long > CHEAP && ratio(long, short) > SUPERLINEAR {
            (short, long) = (cost(3, length, input, work), cost(3, 2 * length, input, work));
        }
        if long < CHEAP || ratio(long, short) <= SUPERLINEAR {
            return None;
        }
        seen.push((2 * length, long));
        if long > TOLERABLE {
            return Some(format!("{seen:?}"));
        }
        (length, short) = (2 * length, long);
    }
    None
}

/// How much has been tried, and how much of it costs more than its length.
#[derive(Default)]
struct Results {
    tried: usize,
    failed: usize,
}

impl Results {
    fn add(&mut self, what: &str, input: impl Debug, costs: Option<String>) {
        self.tried += 1;
        if self.tried.is_multiple_of(1_000) {
            println!("{} tried", self.tried);
        }
        if let Some(costs) = costs {
            self.failed += 1;
            println!("FAILED  {what} {input:?}: {costs}");
        }
    }
}

fn main() -> ExitCode {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let is_chosen = |what: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == what);
    let runtime = Runtime::new().unwrap();
    let read = |body: &str| runtime.block_on(bodies::read(body));
    let render = |text: &str| {
        let _refused_or_not = runtime.block_on(Renderer::default().post(Uuid::nil(), text));
    };
    let compare = |text: &str| {
        let changed: String = text.lines().rev().map(|line| line.to_owned() + "\n").collect();
        std::hint::black_box(diff((1, text), (2, &changed)));
    };
    let mut results = Results::default();
    if is_chosen("reading") {
        for body in Body::all() {
            results.add("reading", body, grows(BODIES, |length| body.of(length), read));
        }
    }
    if is_chosen("comparing") {
        let by_lines = |text: &Text| text.one.contains('\n') && !matches!(text.shape, Shape::InSequence);
        for text in Text::all().filter(by_lines) {
            results.add("comparing", text, grows(TEXTS, |length| text.of(length), compare));
        }
    }
    if is_chosen("rendering") {
        for text in Text::all() {
            results.add("rendering", text, grows(TEXTS, |length| text.of(length), render));
        }
    }
    let Results { tried, failed } = results;
    println!("{tried} tried, {failed} of which cost more than their length");
    if tried > 0 && failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
