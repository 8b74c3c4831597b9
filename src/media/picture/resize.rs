//! Pictures of other sizes. For one kind of pixel alone: the code for each is large.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{
    FilterType, ImageBufferError, ImageError, MulDiv, ResizeAlg, ResizeOptions, Resizer,
};
use image::RgbaImage;

/// None of these happens to what was decoded.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResizeError {
    #[error(transparent)]
    Buffer(#[from] ImageBufferError),
    #[error(transparent)]
    Alpha(#[from] ImageError),
    #[error(transparent)]
    Resize(#[from] fast_image_resize::ResizeError),
}

/// The picture with no side longer than `max`.
pub(super) fn within(mut image: RgbaImage, max: u32, has_alpha: bool) -> Result<RgbaImage, ResizeError> {
    let (width, height) = image.dimensions();
    let longest = width.max(height);
    if longest <= max {
        return Ok(image);
    }
    if has_alpha {
        // In place, since a copy of the largest pictures is too large.
        let mut pixels = TypedImage::<U8x4>::from_buffer(width, height, &mut image)?;
        MulDiv::new().multiply_alpha_inplace_typed(&mut pixels)?;
    }
    let (width, height) = (scaled(width, max, longest), scaled(height, max, longest));
    let mut smaller = resized(&image, width, height, &options(FilterType::Lanczos3).use_alpha(false))?;
    if has_alpha {
        let mut pixels = TypedImage::<U8x4>::from_buffer(width, height, &mut smaller)?;
        MulDiv::new().divide_alpha_inplace_typed(&mut pixels)?;
    }
    Ok(smaller)
}

pub(super) fn to_width(image: &RgbaImage, width: u32) -> Result<RgbaImage, ResizeError> {
    let height = scaled(image.height(), width, image.width());
    resized(image, width, height, &options(FilterType::Lanczos3))
}

/// Red, green and blue.
pub(super) fn mean_color(image: &RgbaImage) -> Result<[u8; 3], ResizeError> {
    let [red, green, blue, _] = resized(image, 1, 1, &options(FilterType::Box))?.get_pixel(0, 0).0;
    Ok([red, green, blue])
}

/// `side · to / from`, and one at least.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let scaled = (u64::from(side) * u64::from(to) + u64::from(from) / 2) / u64::from(from);
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

fn resized(
    image: &RgbaImage,
    width: u32,
    height: u32,
    options: &ResizeOptions,
) -> Result<RgbaImage, ResizeError> {
    let from = TypedImageRef::<U8x4>::from_buffer(image.width(), image.height(), image)?;
    let mut smaller = RgbaImage::new(width, height);
    let mut to = TypedImage::<U8x4>::from_buffer(width, height, &mut smaller)?;
    Resizer::new().resize_typed(&from, &mut to, options)?;
    drop(to);
    Ok(smaller)
}

fn options(filter: FilterType) -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter))
}
