//! Still pictures: from the bytes of a file to pixels of eight bits a channel, within limits that are set before anything
//! is allocated.

use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, ImageError, Limits, RgbImage, RgbaImage};
use png::{ColorType, DecodingError, Transformations};

use super::{Format, MAX_DECODER_BYTES, Rejection, check_pixels};

/// A picture as it was taken, which may not be upright.
pub(super) struct Decoded {
    pub(super) image: DynamicImage,
    pub(super) orientation: Orientation,
    /// ICC, of the image's channels.
    pub(super) profile: Option<Vec<u8>>,
    /// Whether its format is one for photographs.
    pub(super) is_lossy: bool,
}

pub(super) fn decode(format: Format, bytes: &[u8]) -> Result<Decoded, Rejection> {
    let decoded = match format {
        Format::Png => png(bytes),
        Format::Jpeg => {
            check_jpeg_memory(bytes)?;
            read(format, JpegDecoder::new(Cursor::new(bytes)))
        }
        Format::Gif => read(format, GifDecoder::new(Cursor::new(bytes))),
        Format::Webp => read(format, WebPDecoder::new(Cursor::new(bytes))),
    };
    let mut decoded = decoded?;
    let channels = if decoded.image.color().has_color() { b"RGB " } else { b"GRAY" };
    decoded.profile = decoded.profile.filter(|profile| is_profile(profile, *channels));
    Ok(decoded)
}

fn read(format: Format, decoder: Result<impl ImageDecoder, ImageError>) -> Result<Decoded, Rejection> {
    let rejected = |error: ImageError| match error {
        ImageError::Limits(_) => Rejection::TooMuchMemory,
        error => Rejection::Unreadable(format, error.to_string()),
    };
    let mut decoder = decoder.map_err(rejected)?;
    let (width, height) = decoder.dimensions();
    check_pixels(width, height)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    decoder.set_limits(limits).map_err(rejected)?;
    // Where they are damaged, the picture is what it is without them.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let image = DynamicImage::from_decoder(decoder).map_err(rejected)?;
    let is_lossy = matches!(format, Format::Jpeg | Format::Webp);
    Ok(Decoded { image, orientation, profile, is_lossy })
}

/// Unlike the decoder of `image` it reduces 16 bits while it reads.
fn png(bytes: &[u8]) -> Result<Decoded, Rejection> {
    let rejected = |error: DecodingError| match error {
        DecodingError::LimitsExceeded => Rejection::TooMuchMemory,
        error => Rejection::Unreadable(Format::Png, error.to_string()),
    };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(rejected)?;
    let (width, height) = reader.info().size();
    check_pixels(width, height)?;
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(Rejection::TooMuchMemory)?];
    let output = reader.next_frame(&mut pixels).map_err(rejected)?;
    let info = reader.info();
    let exif = info.exif_metadata.as_deref().and_then(Orientation::from_exif_chunk);
    let profile = info.icc_profile.as_deref().map(<[u8]>::to_vec);
    let image = match output.color_type {
        ColorType::Grayscale => GrayImage::from_raw(width, height, pixels).map(Into::into),
        ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, pixels).map(Into::into),
        ColorType::Rgb => RgbImage::from_raw(width, height, pixels).map(Into::into),
        ColorType::Rgba => RgbaImage::from_raw(width, height, pixels).map(Into::into),
        ColorType::Indexed => None,
    };
    let image = image.ok_or_else(|| Rejection::Unreadable(Format::Png, "it has no pixels".to_owned()))?;
    Ok(Decoded { image, orientation: exif.unwrap_or(Orientation::NoTransforms), profile, is_lossy: false })
}

/// A progressive JPEG is kept whole as coefficients of two bytes before any pixel is known.
fn check_jpeg_memory(bytes: &[u8]) -> Result<(), Rejection> {
    let Some([width, height, components]) = progressive_frame(bytes) else { return Ok(()) };
    check_pixels(width, height)?;
    if u64::from(width) * u64::from(height) * u64::from(components) * 2 > MAX_DECODER_BYTES {
        return Err(Rejection::TooMuchMemory);
    }
    Ok(())
}

/// Width, height and number of components, if the frame is a progressive one.
fn progressive_frame(bytes: &[u8]) -> Option<[u32; 3]> {
    let mut rest = bytes.get(2..)?;
    loop {
        let [0xff, marker, tail @ ..] = rest else { return None };
        match marker {
            // Fill bytes, and markers without a segment.
            0xff => rest = &rest[1..],
            0x01 | 0xd0..=0xd9 => rest = tail,
            0xc2 => {
                let [_, _, _, h1, h0, w1, w0, components, ..] = tail else { return None };
                let number = |high, low| u32::from(u16::from_be_bytes([high, low]));
                return Some([number(*w1, *w0), number(*h1, *h0), u32::from(*components)]);
            }
            0xda => return None,
            _ => {
                let [l1, l0, ..] = tail else { return None };
                rest = tail.get(usize::from(u16::from_be_bytes([*l1, *l0]))..)?;
            }
        }
    }
}

/// Whether a file's profile is one by its header (ICC.1, 7.2), for pictures with these channels.
fn is_profile(profile: &[u8], channels: [u8; 4]) -> bool {
    const MAX_PROFILE: usize = 1024 * 1024;
    let has = |at: usize, expected: &[u8]| profile.get(at..at + expected.len()) == Some(expected);
    let length = u32::try_from(profile.len()).unwrap_or(u32::MAX).to_be_bytes();
    profile.len() <= MAX_PROFILE && has(0, &length) && has(16, &channels) && has(36, b"acsp")
}
