//! A time in a request: one that RFC 3339 can write, and that is the same when it is stored and shown.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, SubsecRound, Timelike, Utc};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::validation::{RuleViolation, refusal};

/// A time as RFC 3339 writes it, of the years 0000 to 9999 in UTC. Digits below the microsecond are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-11-28T09:00:00Z")]
pub struct Timestamp(DateTime<Utc>);

impl From<Timestamp> for DateTime<Utc> {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

const NO_TIME: &str = "must be a time like 2026-11-28T09:00:00Z or 2026-11-28T10:00:00+01:00";

impl FromStr for Timestamp {
    type Err = RuleViolation;

    fn from_str(text: &str) -> Result<Self, RuleViolation> {
        if has_long_year(text) {
            return Err(out_of_range());
        }
        if !has_shape(text) {
            return Err(("wrong_type", diagnosis(text).into()));
        }
        let time = DateTime::parse_from_rfc3339(text);
        let time = time.map_err(|_| ("wrong_type", "is a date or a time of day that there is not".into()))?;
        let time = without_leap_second(time.to_utc()).ok_or_else(|| {
            ("wrong_type", "can have a second 60 only at the end of June or December in UTC".into())
        })?;
        if (0..=9999).contains(&time.year()) {
            // What PostgreSQL keeps.
            Ok(Self(time.trunc_subsecs(6)))
        } else {
            Err(out_of_range())
        }
    }
}

fn out_of_range() -> RuleViolation {
    ("out_of_range", "must be in a year from 0000 to 9999, in UTC".into())
}

/// Whether the year has a sign or more digits than four, as in other standards.
fn has_long_year(text: &str) -> bool {
    let signed = text.strip_prefix(['+', '-']);
    let year = signed.unwrap_or(text);
    let digits = year.bytes().take_while(u8::is_ascii_digit).count();
    year[digits..].starts_with('-') && (digits > 4 || signed.is_some() && digits == 4)
}

/// Whether the text is what the grammar of RFC 3339 calls a `date-time`, whatever its numbers.
fn has_shape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((head, rest)) = bytes.split_at_checked(19) else { return false };
    let fits = |pattern: &[u8], text: &[u8]| {
        pattern.len() == text.len()
            && pattern.iter().zip(text).all(|(expected, byte)| match expected {
                b'0' => byte.is_ascii_digit(),
                other => byte.eq_ignore_ascii_case(other),
            })
    };
    let offset = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        None => rest,
    };
    let patterns: [&[u8]; 3] = [b"Z", b"+00:00", b"-00:00"];
    fits(b"0000-00-00T00:00:00", head) && patterns.iter().any(|pattern| fits(pattern, offset))
}

/// What is most likely wrong with a text that is no time.
fn diagnosis(text: &str) -> String {
    let bytes = text.as_bytes();
    if bytes.len() > 19 && has_shape(&text.replacen(' ', "T", 1)) {
        return format!("{NO_TIME}, with a `T` between date and time");
    }
    match text.rsplit_once(' ') {
        Some((time, offset)) if has_shape(&format!("{time}+{offset}")) => {
            format!("{NO_TIME}; in a URL, write `%2B` for its `+`")
        }
        _ if has_shape(&format!("{text}Z")) => format!("{NO_TIME}, with `Z` or an offset at its end"),
        _ => NO_TIME.to_owned(),
    }
}

/// A leap second as the second after it, which is how it is stored; `None` where there can be none.
fn without_leap_second(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    const SECOND: u32 = 1_000_000_000;
    if time.nanosecond() < SECOND {
        return Some(time);
    }
    let at_end =
        (time.hour(), time.minute()) == (23, 59) && matches!((time.month(), time.day()), (6, 30) | (12, 31));
    let fraction = time.nanosecond() - SECOND;
    let second = time.with_nanosecond(0)?.checked_add_signed(chrono::TimeDelta::seconds(1))?;
    second.with_nanosecond(fraction).filter(|_| at_end)
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time like \"2026-11-28T09:00:00Z\"")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(refusal)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, &'static str> {
        let time = text.parse::<Timestamp>().map_err(|(code, _)| code)?;
        Ok(DateTime::from(time).to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }

    #[test]
    fn what_rfc_3339_allows_is_read_and_nothing_else() {
        for (text, expected) in [
            ("2026-11-28T09:00:00Z", "2026-11-28T09:00:00Z"),
            ("2026-11-28t09:00:00z", "2026-11-28T09:00:00Z"),
            ("2026-11-28T09:00:00+01:00", "2026-11-28T08:00:00Z"),
            ("2026-11-28T09:00:00-00:00", "2026-11-28T09:00:00Z"),
            ("2026-11-28T09:00:00.1234567899Z", "2026-11-28T09:00:00.123456Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z"),
            ("2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "soon",
            "2026-11-28",
            "2026-11-28T09:00Z",
            "2026-11-28T09:00:00",
            "2026-11-28 09:00:00Z",
            "2026-11-28T09:00:00 01:00",
            "2026-11-28T09:00:00+0100",
            "2026-11-28T09:00:00+01",
            "2026-11-28T09:00:00 Z",
            " 2026-11-28T09:00:00Z",
            "2026-11-28T09:00:00.Z",
            "2026-11-28T09:00:00,5Z",
            "2026-11-28T09:00:00UTC",
            "2026-11-28T24:00:00Z",
            "2026-11-28T09:60:00Z",
            "2026-11-28T09:00:61Z",
            "2026-11-28T09:00:60Z",
            "2026-11-30T23:59:60Z",
            "2026-11-28T09:00:00+24:00",
            "2026-11-28T09:00:00+01:60",
            "2026-02-29T09:00:00Z",
            "2026-13-01T09:00:00Z",
            "2026-00-01T09:00:00Z",
            "2026-11-28T09:00:00\u{2212}01:00",
            "２０２６-11-28T09:00:00Z",
            "20261128T090000Z",
            "1795856400",
        ] {
            assert_eq!(read(text), Err("wrong_type"), "{text}");
        }
        for text in [
            "10000-01-01T00:00:00Z",
            "+10000-01-01T00:00:00Z",
            "-0001-01-01T00:00:00Z",
            "+2026-11-28T09:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+01:00",
            "9999-12-31T23:59:60Z",
        ] {
            assert_eq!(read(text), Err("out_of_range"), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_for_people() {
        let detail = |text: &str| text.parse::<Timestamp>().unwrap_err().1.into_owned();
        assert!(detail("2026-11-28 09:00:00Z").ends_with("a `T` between date and time"));
        assert!(detail("2026-11-28T09:00:00 01:00").ends_with("write `%2B` for its `+`"));
        assert!(detail("2026-11-28T09:00:00").ends_with("`Z` or an offset at its end"));
        assert!(detail("2026-02-30T09:00:00Z").starts_with("is a date"));
        assert!(detail("2026-11-28T09:00:60Z").contains("June or December"));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_printed_as_rfc_3339_and_read_again(
            text in prop_oneof![
                any::<String>(),
                "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{1,12})?([Zz]|[+-][0-2][0-9]:[0-5][0-9])",
            ]
        ) {
            if let Ok(printed) = read(&text) {
                prop_assert!(has_shape(&printed), "{} from {}", printed, text);
                prop_assert_eq!(read(&printed), Ok(printed.clone()));
            }
        }
    }
}
