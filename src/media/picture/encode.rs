//! Pictures as they are stored: of the file that was uploaded they have its colour profile alone.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageResult, RgbaImage};

use super::Format;
use super::decode::Channels;

/// Of 100. Above it files grow faster than anybody sees.
const JPEG_QUALITY: u8 = 85;

pub(super) fn encode(
    image: &RgbaImage,
    channels: Channels,
    format: Format,
    profile: Option<&[u8]>,
) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    if format == Format::Jpeg {
        write(image, channels, JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY), profile)?;
    } else {
        let encoder =
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
        write(image, channels, encoder, profile)?;
    }
    Ok(bytes)
}

fn write(
    image: &RgbaImage,
    channels: Channels,
    mut encoder: impl ImageEncoder,
    profile: Option<&[u8]>,
) -> ImageResult<()> {
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile.to_vec()).ok();
    }
    let (width, height) = image.dimensions();
    let pixels = image.pixels().map(|pixel| pixel.0);
    match channels {
        Channels::Gray => {
            let bytes: Vec<u8> = pixels.map(|[gray, ..]| gray).collect();
            encoder.write_image(&bytes, width, height, ExtendedColorType::L8)
        }
        Channels::GrayAlpha => {
            let bytes: Vec<u8> = pixels.flat_map(|[gray, _, _, alpha]| [gray, alpha]).collect();
            encoder.write_image(&bytes, width, height, ExtendedColorType::La8)
        }
        Channels::Rgb => {
            let bytes: Vec<u8> = pixels.flat_map(|[red, green, blue, _]| [red, green, blue]).collect();
            encoder.write_image(&bytes, width, height, ExtendedColorType::Rgb8)
        }
        Channels::Rgba => encoder.write_image(image, width, height, ExtendedColorType::Rgba8),
    }
}
