//! Pictures of other sizes.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};
use fast_image_resize::{ImageBufferError, ImageError};
use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};

/// None of these happens to what was decoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResizeError {
    #[error("it has more than eight bits a channel")]
    PixelType,
    #[error(transparent)]
    Buffer(#[from] ImageBufferError),
    #[error(transparent)]
    Alpha(#[from] ImageError),
    #[error(transparent)]
    Resize(#[from] fast_image_resize::ResizeError),
}

/// The picture with no side longer than `max`.
pub(super) fn within(image: DynamicImage, max: u32) -> Result<DynamicImage, ResizeError> {
    let (width, height) = (image.width(), image.height());
    let longest = width.max(height);
    if longest <= max {
        return Ok(image);
    }
    let pixel = pixel_type(&image)?;
    let mut from = Image::from_vec_u8(width, height, image.into_bytes(), pixel)?;
    let mut to = Image::new(scaled(width, max, longest), scaled(height, max, longest), pixel);
    let has_alpha = matches!(pixel, PixelType::U8x2 | PixelType::U8x4);
    // In place, since a copy of the largest pictures is too large.
    let alpha = MulDiv::new();
    if has_alpha {
        alpha.multiply_alpha_inplace(&mut from)?;
    }
    Resizer::new().resize(&from, &mut to, &options(FilterType::Lanczos3).use_alpha(false))?;
    if has_alpha {
        alpha.divide_alpha_inplace(&mut to)?;
    }
    image_of(to)
}

pub(super) fn to_width(image: &DynamicImage, width: u32) -> Result<DynamicImage, ResizeError> {
    resized(image, width, scaled(image.height(), width, image.width()), FilterType::Lanczos3)
}

/// Red, green and blue.
pub(super) fn mean_color(image: &DynamicImage) -> Result<[u8; 3], ResizeError> {
    let [red, green, blue, _] = resized(image, 1, 1, FilterType::Box)?.to_rgba8().get_pixel(0, 0).0;
    Ok([red, green, blue])
}

/// `side · to / from`, and one at least.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let scaled = (u64::from(side) * u64::from(to) + u64::from(from) / 2) / u64::from(from);
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

fn resized(
    image: &DynamicImage,
    width: u32,
    height: u32,
    filter: FilterType,
) -> Result<DynamicImage, ResizeError> {
    let pixel = pixel_type(image)?;
    let from = ImageRef::new(image.width(), image.height(), image.as_bytes(), pixel)?;
    let mut to = Image::new(width, height, pixel);
    Resizer::new().resize(&from, &mut to, &options(filter))?;
    image_of(to)
}

fn options(filter: FilterType) -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter))
}

fn pixel_type(image: &DynamicImage) -> Result<PixelType, ResizeError> {
    match image {
        DynamicImage::ImageLuma8(_) => Ok(PixelType::U8),
        DynamicImage::ImageLumaA8(_) => Ok(PixelType::U8x2),
        DynamicImage::ImageRgb8(_) => Ok(PixelType::U8x3),
        DynamicImage::ImageRgba8(_) => Ok(PixelType::U8x4),
        _ => Err(ResizeError::PixelType),
    }
}

fn image_of(image: Image<'static>) -> Result<DynamicImage, ResizeError> {
    let (width, height, pixel) = (image.width(), image.height(), image.pixel_type());
    let bytes = image.into_vec();
    match pixel {
        PixelType::U8 => GrayImage::from_raw(width, height, bytes).map(Into::into),
        PixelType::U8x2 => GrayAlphaImage::from_raw(width, height, bytes).map(Into::into),
        PixelType::U8x3 => RgbImage::from_raw(width, height, bytes).map(Into::into),
        PixelType::U8x4 => RgbaImage::from_raw(width, height, bytes).map(Into::into),
        _ => None,
    }
    .ok_or(ResizeError::PixelType)
}
