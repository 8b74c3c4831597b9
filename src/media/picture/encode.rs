//! Pictures as they are stored: of the file that was uploaded they have its colour profile alone.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder, ImageResult};

use super::Format;

/// Of 100. Above it files grow faster than anybody sees.
const JPEG_QUALITY: u8 = 85;

pub(super) fn encode(image: &DynamicImage, format: Format, profile: Option<&[u8]>) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    if format == Format::Jpeg {
        write(image, JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY), profile)?;
    } else {
        write(
            image,
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive),
            profile,
        )?;
    }
    Ok(bytes)
}

fn write(image: &DynamicImage, mut encoder: impl ImageEncoder, profile: Option<&[u8]>) -> ImageResult<()> {
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile.to_vec()).ok();
    }
    encoder.write_image(image.as_bytes(), image.width(), image.height(), image.color().into())
}
