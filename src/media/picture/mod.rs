//! What becomes of an uploaded picture: decoded, turned upright, made small enough, and encoded anew, so that nothing of the
//! file itself is stored but what its colours are. Animations stay as they are, without their metadata.

mod animation;
mod apng;
mod decode;
mod encode;
mod profile;
mod resize;
#[cfg(test)]
mod tests;

use image::RgbaImage;
use image::imageops::{
    flip_horizontal_in_place, flip_vertical_in_place, rotate90, rotate180_in_place, rotate270,
};
use image::metadata::Orientation;

use decode::Decoded;

/// How many pixels a picture may have, of an animation those of a frame.
pub const MAX_PIXELS: u64 = 40_000_000;
/// How many pixels wide and high it may be: as much as a JPEG can. To make a long side short takes memory for each of its pixels.
pub const MAX_LENGTH: u32 = 65_535;
/// How many pixels wide and high a stored picture is at most.
pub const MAX_SIDE: u32 = 4096;
/// How many pixels wide its variants are, where it is wider itself.
pub const VARIANT_WIDTHS: [u32; 3] = [480, 1024, 2048];
/// How many bytes a decoder may take, beside those of the picture.
const MAX_DECODER_BYTES: u64 = 256 * 1024 * 1024;

/// A kind of picture that is taken, by its magic bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    Webp,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Gif, Self::Webp];

    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Of the names of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }

    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }
}

/// Why a picture is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Rejection {
    #[error("is no JPEG, PNG, GIF or WebP")]
    UnknownFormat,
    /// It is damaged, or is what no decoder here knows.
    #[error("cannot be read as {format}: {1}", format = .0.content_type())]
    Unreadable(Format, String),
    #[error("has {0} × {1} pixels; at most {max} are taken", max = MAX_PIXELS)]
    TooManyPixels(u32, u32),
    #[error("has {0} × {1} pixels; at most {MAX_LENGTH} are taken in a row or a column")]
    TooLong(u32, u32),
    #[error("takes too much memory")]
    TooMuchMemory,
    #[error("is scanned too often")]
    TooManyScans,
    #[error("is an animation of {0} × {1} pixels; at most {MAX_SIDE} × {MAX_SIDE} are taken")]
    TooLargeAnimation(u32, u32),
    #[error("is an animation of too many pixels in all of its frames")]
    TooLongAnimation,
}

/// What is stored of a picture.
#[derive(Debug)]
pub struct Picture {
    pub format: Format,
    pub rendition: Rendition,
    /// Narrower ones of the same, narrowest first; none of an animation.
    pub variants: Vec<Rendition>,
    /// The mean of its colors: what a page shows until it is loaded. Red, green, blue.
    pub color: [u8; 3],
}

#[derive(Debug)]
pub struct Rendition {
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

impl Picture {
    /// Takes seconds, and as much memory as [`MAX_PIXELS`] need.
    pub fn new(bytes: &[u8]) -> Result<Self, Rejection> {
        let format = Format::of(bytes).ok_or(Rejection::UnknownFormat)?;
        let animation =
            if format == Format::Png { apng::stripped(bytes)? } else { animation::stripped(format, bytes)? };
        if let Some(animation) = animation {
            return Ok(animation);
        }
        let decoded = decode::decode(format, bytes)?;
        still(decoded).map_err(|error| Rejection::Unreadable(format, error.to_string()))
    }
}

fn still(decoded: Decoded) -> Result<Picture, ResizeOrEncodeError> {
    let Decoded { image, channels, orientation, colors, is_lossy } = decoded;
    // Smaller first: there is less to turn.
    let image = upright(resize::within(image, MAX_SIDE, channels.has_alpha())?, orientation);
    let format = if is_lossy && !channels.has_alpha() { Format::Jpeg } else { Format::Png };
    let rendition = |image: &RgbaImage| -> Result<_, ResizeOrEncodeError> {
        let bytes = encode::encode(image, channels, format, &colors)?;
        Ok(Rendition { width: image.width(), height: image.height(), bytes })
    };
    let narrower = VARIANT_WIDTHS.into_iter().filter(|width| *width < image.width());
    let variants =
        narrower.map(|width| rendition(&resize::to_width(&image, width)?)).collect::<Result<_, _>>()?;
    Ok(Picture { format, color: resize::mean_color(&image)?, rendition: rendition(&image)?, variants })
}

fn upright(mut image: RgbaImage, orientation: Orientation) -> RgbaImage {
    match orientation {
        Orientation::NoTransforms => return image,
        Orientation::Rotate90 => return rotate90(&image),
        Orientation::Rotate270 => return rotate270(&image),
        Orientation::Rotate180 => rotate180_in_place(&mut image),
        Orientation::FlipHorizontal => flip_horizontal_in_place(&mut image),
        Orientation::FlipVertical => flip_vertical_in_place(&mut image),
        Orientation::Rotate90FlipH => {
            image = rotate90(&image);
            flip_horizontal_in_place(&mut image);
        }
        Orientation::Rotate270FlipH => {
            image = rotate270(&image);
            flip_horizontal_in_place(&mut image);
        }
    }
    image
}

#[derive(Debug, thiserror::Error)]
enum ResizeOrEncodeError {
    #[error(transparent)]
    Resize(#[from] resize::ResizeError),
    #[error(transparent)]
    Encode(#[from] image::ImageError),
}

fn check_pixels(width: u32, height: u32) -> Result<(), Rejection> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Rejection::TooManyPixels(width, height));
    }
    if width.max(height) > MAX_LENGTH {
        return Err(Rejection::TooLong(width, height));
    }
    Ok(())
}
