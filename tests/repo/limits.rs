//! `docs/limits.md` says what the source and the configuration say.

use regex::Regex;

use super::read;

/// A number as people write it, in bytes or milliseconds if it has a unit.
fn written(value: &str) -> Option<u64> {
    let (number, unit) = value.split_once(' ').unwrap_or((value, ""));
    let number: u64 = number.replace(',', "").parse().ok()?;
    let factor = match unit {
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 1,
    };
    Some(number * factor)
}

/// The value of a constant's expression, in bytes or milliseconds: products of numbers and durations.
fn evaluated(name: &str, expression: &str) -> u64 {
    let call = Regex::new(r"^\w+::(?:from_)?(\w+)\((.*)\)$").unwrap();
    let (factor, product) = match call.captures(expression) {
        Some(found) => {
            let unit = match &found[1] {
                "millis" | "milliseconds" => 1,
                "secs" | "seconds" => 1000,
                "mins" | "minutes" => 60_000,
                "hours" => 3_600_000,
                "days" => 86_400_000,
                unit => panic!("{name}: an unknown unit, {unit}"),
            };
            (unit, found[2].to_owned())
        }
        None if name.ends_with("_KIB") => (1024, expression.to_owned()),
        None => (1, expression.to_owned()),
    };
    let number = |text: &str| -> u64 {
        text.trim().replace('_', "").parse().unwrap_or_else(|_| panic!("{name}: not a number, {text}"))
    };
    product.split('*').map(number).product::<u64>() * factor
}

/// The value of `name` in the source file `path`.
fn constant(path: &str, name: &str) -> u64 {
    let pattern = Regex::new(&format!(r"const {name}: [\w:]+ =\s*([^;]+);")).unwrap();
    let source = read(path);
    let found = pattern.captures(&source).unwrap_or_else(|| panic!("{path} has no {name}"));
    evaluated(name, &found[1])
}

/// The default of a variable, as `docs/configuration.md` has it.
fn default(variable: &str) -> u64 {
    let pattern = Regex::new(&format!(r"(?m)^\| `{variable}` \| `(\d+)(ms|s)?`")).unwrap();
    let document = read("docs/configuration.md");
    let found = pattern.captures(&document).unwrap_or_else(|| panic!("{variable} has no default"));
    let number: u64 = found[1].parse().unwrap();
    match found.get(2).map(|unit| unit.as_str()) {
        Some("s") => number * 1000,
        _ if variable.ends_with("_KIB") => number * 1024,
        _ if variable.ends_with("_MIB") => number * 1024 * 1024,
        _ => number,
    }
}

#[test]
fn every_limit_is_what_the_source_says() {
    let document = read("docs/limits.md");
    let row = Regex::new(r"(?m)^\| [^|]+ \| ([^|]+) \| [^|]+ \| `([^`]+)`(?: in `([^`]+)`)? \|$").unwrap();
    let mut rows = 0;
    for found in row.captures_iter(&document) {
        let (value, name) = (&found[1], &found[2]);
        let expected = found.get(3).map_or_else(|| default(name), |path| constant(path.as_str(), name));
        assert_eq!(written(value), Some(expected), "{name} is written as {value}");
        rows += 1;
    }
    let lines = document.lines().filter(|line| line.starts_with("| ") && line.contains('`')).count();
    assert_eq!(rows, lines, "a row of docs/limits.md cannot be read");
    assert!(rows > 20, "only {rows}");
}
