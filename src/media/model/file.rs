//! Files that are no pictures: what they may be, what their objects are called, and how long their upload may take.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::validation::{refusal, text_type};
use crate::text_enum::text_enum;

/// The largest file, in bytes.
pub const MAX_BYTES: i64 = 1024 * 1024 * 1024;

/// For how long after it was announced an upload may begin.
pub const BEGINS_WITHIN: Duration = Duration::from_hours(1);
/// For how long after it was announced an upload may be completed: longer than the slowest takes.
pub const KEPT: TimeDelta = TimeDelta::days(1);

/// The most characters of a file's name that its object has.
const MAX_STEM: usize = 80;

text_type!(
    /// What a file is called.
    Filename, line, LINE, 1..=200, "Minutes of May.pdf");

text_enum! {
    /// The type of a file that is no picture.
    pub enum FileType {
        Pdf = "application/pdf",
        Zip = "application/zip",
        Flac = "audio/flac",
        Mp3 = "audio/mpeg",
        M4a = "audio/mp4",
        Ogg = "audio/ogg",
        Wav = "audio/wav",
        Weba = "audio/webm",
        Mp4 = "video/mp4",
        Ogv = "video/ogg",
        Mov = "video/quicktime",
        Webm = "video/webm",
    }
}

const EXTENSIONS: [(&str, FileType); 12] = [
    ("pdf", FileType::Pdf),
    ("zip", FileType::Zip),
    ("flac", FileType::Flac),
    ("mp3", FileType::Mp3),
    ("m4a", FileType::M4a),
    ("ogg", FileType::Ogg),
    ("wav", FileType::Wav),
    ("weba", FileType::Weba),
    ("mp4", FileType::Mp4),
    ("ogv", FileType::Ogv),
    ("mov", FileType::Mov),
    ("webm", FileType::Webm),
];

impl FileType {
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, of)| *of)
    }

    fn extension(self) -> &'static str {
        EXTENSIONS.iter().find(|(_, of)| *of == self).map_or("bin", |(extension, _)| extension)
    }
}

/// The SHA-256 of a file.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(
    value_type = String,
    min_length = 64,
    max_length = 64,
    pattern = "^[0-9a-f]{64}$",
    example = "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"
)]
pub struct Checksum(pub [u8; 32]);

impl Checksum {
    fn parse(text: &str) -> Option<Self> {
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().filter(|()| is_lower).map(|()| Self(bytes))
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let detail = "must be 64 hexadecimal digits in lower case, as `sha256sum` prints them";
        Self::parse(&text).ok_or_else(|| refusal(("invalid_checksum", detail.into())))
    }
}

/// What is known of a file before it is there.
#[derive(Clone, Debug)]
pub struct File {
    /// The name of its object.
    pub object: String,
    pub filename: String,
    pub content_type: FileType,
    pub bytes: i64,
    pub sha256: [u8; 32],
}

impl File {
    #[must_use]
    pub fn new(filename: String, content_type: FileType, bytes: i64, sha256: [u8; 32]) -> Self {
        let object = format!("{}/{}", hex::encode(sha256), saved_as(&filename, content_type));
        Self { object, filename, content_type, bytes, sha256 }
    }
}

/// The last part of a file's address, as which browsers save it.
fn saved_as(filename: &str, content_type: FileType) -> String {
    let extension = content_type.extension();
    let stem = match filename.rsplit_once('.') {
        Some((stem, written)) if written.eq_ignore_ascii_case(extension) => stem,
        _ => filename,
    };
    let mut stem = slug::slugify(stem);
    stem.truncate(MAX_STEM);
    let stem = Some(stem.trim_end_matches('-')).filter(|stem| !stem.is_empty()).unwrap_or("file");
    format!("{stem}.{extension}")
}

/// Where and how a file is to be uploaded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileUpload {
    /// What completes it, and the id in `/v1/media` from then on.
    pub id: Uuid,
    /// The method of the request that uploads it.
    #[schema(example = "PUT")]
    pub method: &'static str,
    /// Where that request goes. Whoever has this address may store that file there, and nothing else.
    pub url: String,
    /// The headers of that request, to the letter.
    #[schema(example = json!({"content-length": "48213", "content-type": "application/pdf"}))]
    pub headers: BTreeMap<String, String>,
    /// Until when that request may begin.
    pub expires_at: DateTime<Utc>,
}

/// The path of an upload.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FileUploadPath {
    /// The upload's id
    pub id: Uuid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_as_what_it_is_called_in_ascii() {
        let long = "ä".repeat(200);
        for (filename, expected) in [
            ("Minutes of May.pdf", "minutes-of-may.pdf"),
            ("Minutes.PDF", "minutes.pdf"),
            ("Jahresbericht 2026 – Übersicht", "jahresbericht-2026-ubersicht.pdf"),
            ("年报.pdf", "nian-bao.pdf"),
            ("تقرير.pdf", "tqryr.pdf"),
            ("virus.exe", "virus-exe.pdf"),
            ("../../etc/passwd", "etc-passwd.pdf"),
            ("🦀.pdf", "crab.pdf"),
            ("...", "file.pdf"),
        ] {
            assert_eq!(saved_as(filename, FileType::Pdf), expected, "{filename}");
        }
        assert_eq!(saved_as(&long, FileType::Zip).len(), MAX_STEM + ".zip".len());
    }

    #[test]
    fn each_type_has_an_extension_of_its_own() {
        for (extension, content_type) in EXTENSIONS {
            assert_eq!(content_type.extension(), extension);
            assert_eq!(FileType::of_extension(extension), Some(content_type));
        }
    }

    #[test]
    fn a_checksum_is_what_sha256sum_prints() {
        let checksum = |text: &str| Checksum::parse(text).map(|checksum| checksum.0);
        assert_eq!(checksum(&"0a".repeat(32)), Some([10; 32]));
        for invalid in ["", "0a", &"0A".repeat(32), &"0g".repeat(32), &"0a".repeat(33)] {
            assert_eq!(checksum(invalid), None, "{invalid}");
        }
    }
}
