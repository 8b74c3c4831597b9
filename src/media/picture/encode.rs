//! Pictures as they are stored: of the file that was uploaded they have what says how its colours look, alone.

use std::borrow::Cow;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError, ImageResult, RgbaImage};
use png::{
    BitDepth, CodingIndependentCodePoints, ColorType, Compression, EncodingError, Filter, Info, Writer, chunk,
};

use super::Format;
use super::decode::{Channels, Colors};

/// Of 100. Above it files grow faster than anybody sees.
const JPEG_QUALITY: u8 = 85;

pub(super) fn encode(
    image: &RgbaImage,
    channels: Channels,
    format: Format,
    colors: &Colors,
) -> ImageResult<Vec<u8>> {
    if format == Format::Jpeg {
        return jpeg(image, channels, colors.profile.as_deref());
    }
    png(image, channels, colors).map_err(|error| ImageError::IoError(error.into()))
}

fn jpeg(image: &RgbaImage, channels: Channels, profile: Option<&[u8]>) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile.to_vec()).ok();
    }
    let color = if channels.is_gray() { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    encoder.write_image(&channels.narrowed(image), image.width(), image.height(), color)?;
    Ok(bytes)
}

fn png(image: &RgbaImage, channels: Channels, colors: &Colors) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png_encoder(&mut bytes, image.width(), image.height(), colors)?;
    encoder.set_color(match channels {
        Channels::Gray => ColorType::Grayscale,
        Channels::GrayAlpha => ColorType::GrayscaleAlpha,
        Channels::Rgb => ColorType::Rgb,
        Channels::Rgba => ColorType::Rgba,
    });
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    write_code_points(&mut writer, colors)?;
    writer.write_image_data(&channels.narrowed(image))?;
    drop(writer);
    Ok(bytes)
}

pub(super) fn png_encoder<'a>(
    bytes: &'a mut Vec<u8>,
    width: u32,
    height: u32,
    colors: &'a Colors,
) -> Result<png::Encoder<'a, &'a mut Vec<u8>>, EncodingError> {
    let mut info = Info::with_size(width, height);
    if let Some(profile) = &colors.profile {
        info.icc_profile = Some(Cow::Borrowed(profile));
    } else {
        (info.source_gamma, info.source_chromaticities) = (colors.gamma, colors.chromaticities);
    }
    let mut encoder = png::Encoder::with_info(bytes, info)?;
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    Ok(encoder)
}

pub(super) fn write_code_points(
    writer: &mut Writer<&mut Vec<u8>>,
    colors: &Colors,
) -> Result<(), EncodingError> {
    let Some(code_points) = colors.code_points else { return Ok(()) };
    let CodingIndependentCodePoints {
        color_primaries,
        transfer_function,
        matrix_coefficients,
        is_video_full_range_image,
    } = code_points;
    let data = [color_primaries, transfer_function, matrix_coefficients, is_video_full_range_image.into()];
    writer.write_chunk(chunk::cICP, &data)
}
