//! Still pictures: from the bytes of a file to pixels of eight bits a channel, within limits that are set before anything
//! is allocated.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{ColorType as Color, ImageDecoder, ImageError, Limits, RgbaImage};
use png::{
    CodingIndependentCodePoints, ColorType, DecodingError, ScaledFloat, SourceChromaticities, Transformations,
};
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Format, MAX_DECODER_BYTES, Rejection, check_pixels, profile};

/// How many pixels the scans of a JPEG go over together: of the largest picture, fifty scans.
const MAX_SCANNED_PIXELS: u64 = 2_000_000_000;

/// A picture as it was taken, which may not be upright.
pub(super) struct Decoded {
    pub(super) image: RgbaImage,
    /// What of that the file has.
    pub(super) channels: Channels,
    pub(super) orientation: Orientation,
    pub(super) colors: Colors,
    /// Whether its format is one for photographs.
    pub(super) is_lossy: bool,
}

/// How the colours of pixels look, where the file says it; else they are sRGB.
#[derive(Debug, Default)]
pub(super) struct Colors {
    /// ICC, of the image's channels.
    pub(super) profile: Option<Vec<u8>>,
    /// What PNG has in its place.
    pub(super) gamma: Option<ScaledFloat>,
    pub(super) chromaticities: Option<SourceChromaticities>,
    pub(super) code_points: Option<CodingIndependentCodePoints>,
}

/// What a pixel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    pub(super) fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }

    pub(super) fn is_gray(self) -> bool {
        matches!(self, Self::Gray | Self::GrayAlpha)
    }

    /// Of an image with all four channels, these.
    pub(super) fn narrowed(self, image: &RgbaImage) -> Cow<'_, [u8]> {
        let pixels = image.pixels().map(|pixel| pixel.0);
        Cow::Owned(match self {
            Self::Gray => pixels.map(|[gray, ..]| gray).collect(),
            Self::GrayAlpha => pixels.flat_map(|[gray, _, _, alpha]| [gray, alpha]).collect(),
            Self::Rgb => pixels.flat_map(|[red, green, blue, _]| [red, green, blue]).collect(),
            Self::Rgba => return Cow::Borrowed(image),
        })
    }

    /// The pixels of eight bits a channel that have these channels, with all four; `None` if there are not as many.
    fn widened(self, width: u32, height: u32, pixels: Vec<u8>) -> Option<RgbaImage> {
        let wide = match self {
            Self::Gray => pixels.iter().flat_map(|gray| [*gray, *gray, *gray, 255]).collect(),
            Self::GrayAlpha => {
                pixels.as_chunks().0.iter().flat_map(|[gray, alpha]| [*gray, *gray, *gray, *alpha]).collect()
            }
            Self::Rgb => pixels
                .as_chunks()
                .0
                .iter()
                .flat_map(|[red, green, blue]| [*red, *green, *blue, 255])
                .collect(),
            Self::Rgba => pixels,
        };
        RgbaImage::from_raw(width, height, wide)
    }
}

pub(super) fn decode(format: Format, bytes: &[u8]) -> Result<Decoded, Rejection> {
    let decoded = match format {
        Format::Png => png(bytes),
        Format::Jpeg => {
            let (picture, scans) = own_part(bytes);
            check_jpeg(picture, scans)?;
            read(format, JpegDecoder::new(Cursor::new(picture)))
        }
        Format::Gif => read(format, GifDecoder::new(Cursor::new(bytes))),
        Format::Webp => read(format, WebPDecoder::new(Cursor::new(bytes))),
    };
    let mut decoded = decoded?;
    let channels = if decoded.channels.is_gray() { b"GRAY" } else { b"RGB " };
    let profile = decoded.colors.profile.take();
    decoded.colors.profile = profile.and_then(|profile| profile::of_colors(&profile, *channels));
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
    let colors = Colors { profile: decoder.icc_profile().unwrap_or_default(), ..Colors::default() };
    let channels = match decoder.color_type() {
        Color::L8 => Channels::Gray,
        Color::La8 => Channels::GrayAlpha,
        Color::Rgb8 => Channels::Rgb,
        Color::Rgba8 => Channels::Rgba,
        color => return Err(Rejection::Unreadable(format, format!("it has pixels of {color:?}"))),
    };
    let length = usize::try_from(decoder.total_bytes()).map_err(|_too_long| Rejection::TooMuchMemory)?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels).map_err(rejected)?;
    let image = channels.widened(width, height, pixels);
    let image = image.ok_or_else(|| Rejection::Unreadable(format, "it has no pixels".to_owned()))?;
    let is_lossy = matches!(format, Format::Jpeg | Format::Webp);
    Ok(Decoded { image, channels, orientation, colors, is_lossy })
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
    // sRGB stands above both.
    let has_own = info.srgb.is_none();
    let colors = Colors {
        profile: info.icc_profile.as_deref().map(<[u8]>::to_vec),
        gamma: info.gama_chunk.filter(|_| has_own),
        chromaticities: info.chrm_chunk.filter(|_| has_own),
        code_points: info.coding_independent_code_points,
    };
    let channels = match output.color_type {
        ColorType::Grayscale => Channels::Gray,
        ColorType::GrayscaleAlpha => Channels::GrayAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => {
            return Err(Rejection::Unreadable(Format::Png, "its palette is missing".to_owned()));
        }
    };
    let image = channels.widened(width, height, pixels);
    let image = image.ok_or_else(|| Rejection::Unreadable(Format::Png, "it has no pixels".to_owned()))?;
    Ok(Decoded {
        image,
        channels,
        orientation: exif.unwrap_or(Orientation::NoTransforms),
        colors,
        is_lossy: false,
    })
}

/// A JPEG to its end, without what comes after that (motion photos have a video there), and how many scans it has.
fn own_part(bytes: &[u8]) -> (&[u8], u64) {
    let (mut at, mut scans) = (2, 0);
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xd9 => return (&bytes[..at + 2], scans),
            // Fill bytes, and markers that stand alone.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let Some(length) = bytes.get(at + 2..at + 4) else { break };
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
        if marker == 0xda {
            scans += 1;
            // In what is compressed, a marker's first byte is followed by zero, and there are restarts.
            let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7);
            let rest = bytes.get(at..).unwrap_or_default();
            at += rest.windows(2).position(is_end).unwrap_or(rest.len());
        }
    }
    (bytes, scans)
}

/// What the decoder would find out too late: a progressive JPEG is kept whole as coefficients of two bytes before any pixel
/// is known, and each of its scans goes over all of it.
fn check_jpeg(bytes: &[u8], scans: u64) -> Result<(), Rejection> {
    let options = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let unreadable = |error: DecodeErrors| Rejection::Unreadable(Format::Jpeg, error.to_string());
    decoder.decode_headers().map_err(unreadable)?;
    let Some(info) = decoder.info() else { return Ok(()) };
    let (width, height) = (info.width.into(), info.height.into());
    check_pixels(width, height)?;
    let pixels = u64::from(width) * u64::from(height);
    if info.sof.is_progressive() && pixels * u64::from(info.components) * 2 > MAX_DECODER_BYTES {
        return Err(Rejection::TooMuchMemory);
    }
    if scans * pixels > MAX_SCANNED_PIXELS { Err(Rejection::TooManyScans) } else { Ok(()) }
}
