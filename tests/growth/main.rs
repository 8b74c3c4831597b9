//! Looks for texts whose cost grows faster than their length: all Markdown and HTML constructs, alone and in
//! pairs, are rendered and compared at one length and at twice that. What seems to grow faster is measured
//! again at larger lengths, up to the longest text there may be. `make test-growth`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use blog_api::markdown;
use blog_api::posts::model::diff;
use tokio::runtime::Runtime;

/// The shorter of the two lengths that every text is tried at, in bytes.
const LENGTH: usize = 2_500;
/// The longest text that is tried; a text may be a little longer.
const LONGEST: usize = 160_000;
/// Of the cost of twice the length to the cost of the length; 2 is linear, 4 is quadratic.
const SUPERLINEAR: f64 = 2.8;
/// What is not worth a second look.
const CHEAP: Duration = Duration::from_millis(4);
/// What a text may cost that grows faster and is refused before it is long: unoptimized, on a busy machine.
const TOLERABLE: Duration = Duration::from_secs(4);

/// What Markdown and the HTML in it are made of.
const CONSTRUCTS: [&str; 56] = [
    "a ",
    "a\n",
    "\n",
    "\\",
    "*",
    "**a",
    "_a ",
    "~~",
    "`",
    "``a`",
    "[",
    "]",
    "![",
    "](",
    "[a](b)",
    "[a][b]",
    "[^1]",
    "[^1]: a\n",
    "[a]: b\n",
    "<",
    ">",
    "<!--",
    "-->",
    "<?",
    "<![CDATA[",
    "<!A ",
    "&",
    "&amp;",
    "> ",
    "- ",
    "1. ",
    "# ",
    "a\n===\n",
    "a\n---\n",
    "    a\n",
    "```\n",
    "|",
    "|a|b|\n|-|-|\n",
    "|a",
    "- [ ] ",
    "<b>",
    "</b>",
    "<b x=1>",
    "</p>",
    "<p>",
    "<a href=x>",
    "<table>",
    "<tr><td>",
    "<svg>",
    "<math>",
    "<select>",
    "<button>",
    "<template>",
    "www.a.b ",
    "a@b.c ",
    "ä\u{300}𝕏",
];

/// How two constructs make a text.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// One and the other in turn.
    Alternating,
    /// All of one, then all of the other.
    InSequence,
    /// Both, again and again, in paragraphs of their own.
    Paragraphs,
}

#[derive(Clone, Copy, Debug)]
struct Text {
    shape: Shape,
    one: &'static str,
    other: &'static str,
}

impl Text {
    fn all() -> impl Iterator<Item = Self> {
        let shapes = [Shape::Alternating, Shape::InSequence, Shape::Paragraphs];
        shapes.into_iter().flat_map(|shape| {
            CONSTRUCTS
                .into_iter()
                .flat_map(move |one| CONSTRUCTS.into_iter().map(move |other| Self { shape, one, other }))
        })
    }

    fn of(self, length: usize) -> String {
        let Self { shape, one, other } = self;
        let times = |part: &str, length: usize| part.repeat(length / part.len());
        match shape {
            Shape::Alternating => times(&format!("{one}{other}"), length),
            Shape::InSequence => times(one, length / 2) + &times(other, length / 2),
            Shape::Paragraphs => times(&format!("{one}{other}\n\n"), length),
        }
    }
}

/// The least of several times that `work` takes on the text of this length.
fn cost(tries: usize, text: Text, length: usize, work: impl Fn(&str)) -> Duration {
    let text = text.of(length);
    let timed = |_| {
        let start = Instant::now();
        work(&text);
        start.elapsed()
    };
    (0..tries).map(timed).min().unwrap_or_default()
}

/// The lengths and costs that show it, if the cost grows faster than the length and becomes intolerable.
fn grows(text: Text, work: impl Fn(&str) + Copy) -> Option<String> {
    let mut length = LENGTH;
    let mut short = cost(1, text, length, work);
    let mut seen = vec![(length, short)];
    while length < LONGEST {
        let mut long = cost(1, text, 2 * length, work);
        let ratio = |long: Duration, short: Duration| long.as_secs_f64() / short.as_secs_f64();
        if long > CHEAP && ratio(long, short) > SUPERLINEAR {
            (short, long) = (cost(3, text, length, work), cost(3, text, 2 * length, work));
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

fn main() -> ExitCode {
    let runtime = Runtime::new().unwrap();
    let render = |text: &str| {
        let _refused_or_not = runtime.block_on(markdown::render(text));
    };
    let compare = |text: &str| {
        let changed: String = text.lines().rev().map(|line| line.to_owned() + "\n").collect();
        std::hint::black_box(diff((1, text), (2, &changed)));
    };
    let (mut tried, mut failed) = (0, 0);
    let mut judge = |what: &str, text: Text, costs: Option<String>| {
        tried += 1;
        if tried % 1_000 == 0 {
            println!("{tried} texts");
        }
        if let Some(costs) = costs {
            failed += 1;
            println!("FAILED  {what} {text:?}: {costs}");
        }
    };
    for text in Text::all() {
        judge("rendering", text, grows(text, render));
    }
    let by_lines = |text: &Text| text.one.contains('\n') && !matches!(text.shape, Shape::InSequence);
    for text in Text::all().filter(by_lines) {
        judge("comparing", text, grows(text, compare));
    }
    println!("{tried} texts, {failed} of which cost more than their length");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
