//! Colour profiles, of which what says how colours look is kept: not whose display or scanner it is, and no other text.
//!
//! ICC.1:2022, clauses 7 and 9.2: <https://www.color.org/specification/ICC.1-2022-05.pdf>.

use std::collections::HashMap;

/// Of a file, in bytes.
const MAX_PROFILE: usize = 1024 * 1024;
const HEADER: usize = 128;
/// What a tag has in the table after the header: its name, and where its value is.
const ENTRY: usize = 12;

const COLOR_TAGS: [&[u8; 4]; 27] = [
    b"wtpt", b"bkpt", b"chad", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"A2B0",
    b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1",
    b"B2D2", b"B2D3", b"cicp", b"lumi", b"gamt",
];

/// The texts that a profile must have: what it is called, and whose.
const TEXT_TAGS: [&[u8; 4]; 2] = [b"desc", b"cprt"];
const TEXT: &[u8; 34] = b"mluc\0\0\0\0\0\0\0\x01\0\0\0\x0cenUS\0\0\0\x06\0\0\0\x1c\0R\0G\0B";

/// A file's profile without what says nothing of colours; `None` if it is not one for pictures with these channels.
pub(super) fn of_colors(profile: &[u8], channels: [u8; 4]) -> Option<Vec<u8>> {
    let has = |at: usize, expected: &[u8]| profile.get(at..at + expected.len()) == Some(expected);
    let length = u32::try_from(profile.len()).ok()?.to_be_bytes();
    if profile.len() > MAX_PROFILE || !has(0, &length) || !has(16, &channels) || !has(36, b"acsp") {
        return None;
    }
    let (header, table) = profile.split_at_checked(HEADER)?;
    let (count, table) = table.split_first_chunk()?;
    let entries = table.get(..ENTRY.checked_mul(u32::from_be_bytes(*count) as usize)?)?;
    let mut kept = Vec::new();
    for name in COLOR_TAGS {
        if let Some(entry) = entries.chunks_exact(ENTRY).find(|entry| entry.starts_with(name)) {
            kept.push((name, value(profile, entry)?));
        }
    }
    kept.extend(TEXT_TAGS.map(|name| (name, &TEXT[..])));
    let mut kept = written(header, &kept)?;
    // The device, the creator, and a checksum.
    for field in [48..56, 80..100] {
        kept[field].fill(0);
    }
    Some(kept)
}

fn value<'a>(profile: &'a [u8], entry: &[u8]) -> Option<&'a [u8]> {
    let number = |at: usize| Some(u32::from_be_bytes(entry.get(at..at + 4)?.try_into().ok()?) as usize);
    let (at, length) = (number(4)?, number(8)?);
    profile.get(at..at.checked_add(length)?)
}

fn written(header: &[u8], tags: &[(&[u8; 4], &[u8])]) -> Option<Vec<u8>> {
    let start = HEADER + 4 + tags.len() * ENTRY;
    let mut table = u32::try_from(tags.len()).ok()?.to_be_bytes().to_vec();
    let mut values = Vec::new();
    // Tags share values: the curve of all three colours is often one.
    let mut places = HashMap::new();
    for (name, value) in tags {
        let at = *places.entry(*value).or_insert_with(|| {
            let at = start + values.len();
            values.extend_from_slice(value);
            values.resize(values.len().next_multiple_of(4), 0);
            at
        });
        table.extend_from_slice(*name);
        for number in [at, value.len()] {
            table.extend(u32::try_from(number).ok()?.to_be_bytes());
        }
    }
    let mut profile = [header, &table, &values].concat();
    let length = u32::try_from(profile.len()).ok()?.to_be_bytes();
    profile[..4].copy_from_slice(&length);
    Some(profile)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// With these tags, for pictures in red, green and blue.
    pub(in crate::media::picture) fn profile(tags: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut header = [b'#'; HEADER];
        header[16..20].copy_from_slice(b"RGB ");
        header[36..40].copy_from_slice(b"acsp");
        written(&header, tags).unwrap()
    }

    #[test]
    fn what_says_how_colours_look_stays_alone() {
        let hidden: (&[u8; 4], &[u8]) = (b"mmod", b"serial number");
        let curve: &[u8] = b"curv\0\0\0\0\0\0\0\0";
        let uploaded = profile(&[(b"desc", b"my display"), (b"rTRC", curve), hidden, (b"gTRC", curve)]);
        let kept = of_colors(&uploaded, *b"RGB ").unwrap();
        let expected = profile(&[(b"rTRC", curve), (b"gTRC", curve), (b"desc", TEXT), (b"cprt", TEXT)]);
        assert_eq!(kept[HEADER..], expected[HEADER..]);
        assert_eq!(kept.len(), HEADER + 4 + 4 * ENTRY + 12 + 36);
        assert_eq!(
            (&kept[44..58], &kept[76..104]),
            (&b"####\0\0\0\0\0\0\0\0##"[..], &b"####\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0####"[..])
        );
        // A second time nothing changes.
        assert_eq!(of_colors(&kept, *b"RGB "), Some(kept));
    }

    #[test]
    fn what_is_damaged_or_for_other_pictures_is_none() {
        let good = profile(&[(b"wtpt", b"XYZ ")]);
        assert!(of_colors(&good, *b"RGB ").is_some() && of_colors(&good, *b"GRAY").is_none());
        let with = |at: usize, bytes: &[u8]| {
            let mut profile = good.clone();
            profile[at..at + bytes.len()].copy_from_slice(bytes);
            of_colors(&profile, *b"RGB ")
        };
        for (at, bytes) in [
            (0, &[0; 4][..]),
            (36, b"ACSP"),
            (HEADER, &[0xff; 4]),
            (HEADER, &[0, 0, 0, 3]),
            (HEADER + 8, &[0xff; 4]),
            (HEADER + 12, &[0xff; 4]),
        ] {
            assert_eq!(with(at, bytes), None, "{at}");
        }
        for length in 0..good.len() {
            assert_eq!(of_colors(&good[..length], *b"RGB "), None);
        }
        assert_eq!(of_colors(&vec![0; MAX_PROFILE + 1], *b"RGB "), None);
    }
}
