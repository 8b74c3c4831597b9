//! Animated PNGs (PNG 3, clause 4.9: <https://www.w3.org/TR/png-3/>): encoded anew frame by frame, each with its place, its time and
//! its operations.

use std::io::Cursor;

use png::{ColorType, DecodingError, EncodingError, FrameControl, Info, Reader, Writer};

use super::animation::{Left, check_sides, picture};
use super::decode::{Colors, decode};
use super::encode::{png_encoder, write_code_points};
use super::{Format, Picture, Rejection};

type File<'a> = Reader<Cursor<&'a [u8]>>;

/// `None` if the file is no animation, or one whose frames cannot be read: then it is shown as its still picture.
pub(super) fn stripped(bytes: &[u8]) -> Result<Option<Picture>, Rejection> {
    let Ok(file) = open(bytes) else { return Ok(None) };
    if file.info().animation_control.is_none() || file.info().interlaced {
        return Ok(None);
    }
    let (width, height) = file.info().size();
    check_sides(width, height)?;
    let has_own_still = file.info().frame_control.is_none();
    let images = readable_images(file, Left::default())?;
    let frames = images - u32::from(has_own_still && images > 0);
    // With one frame, and no other picture, it is a still.
    if frames == 0 || images < 2 {
        return Ok(None);
    }
    let still = decode(Format::Png, bytes)?;
    let stored = encoded(bytes, &still.colors, frames, has_own_still)
        .map_err(|error| Rejection::Unreadable(Format::Png, error.to_string()))?;
    picture(Format::Png, Ok(still.image), stored).map(Some)
}

fn open(bytes: &[u8]) -> Result<File<'_>, DecodingError> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_ignore_text_chunk(true);
    decoder.read_info()
}

/// As many as come before one that is damaged or missing.
fn readable_images(mut file: File<'_>, mut left: Left) -> Result<u32, Rejection> {
    let (width, height) = file.info().size();
    let mut pixels = vec![0; file.output_buffer_size().ok_or(Rejection::TooMuchMemory)?];
    let mut images = 0;
    while next_frame(&mut file, images, &mut pixels).is_ok() {
        left.take(width, height)?;
        images += 1;
    }
    Ok(images)
}

/// Where and how the image with that number is shown, and how many bytes of `pixels` it has.
fn next_frame(
    file: &mut File<'_>,
    number: u32,
    pixels: &mut [u8],
) -> Result<(Option<FrameControl>, usize), DecodingError> {
    let control = if number == 0 { file.info().frame_control } else { Some(*file.next_frame_info()?) };
    let output = file.next_frame(pixels)?;
    Ok((control, output.buffer_size()))
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Decode(#[from] DecodingError),
    #[error(transparent)]
    Encode(#[from] EncodingError),
}

fn encoded(bytes: &[u8], colors: &Colors, frames: u32, has_own_still: bool) -> Result<Vec<u8>, Error> {
    let mut file = open(bytes)?;
    let Info { color_type, bit_depth, width, height, .. } = *file.info();
    let plays = file.info().animation_control.map_or(0, |control| control.num_plays);
    let mut pixels = vec![0; file.output_buffer_size().unwrap_or_default()];
    let mut stored = Vec::new();
    let mut encoder = png_encoder(&mut stored, width, height, colors)?;
    encoder.set_color(color_type);
    encoder.set_depth(bit_depth);
    if let Some(palette) = file.info().palette.clone() {
        encoder.set_palette(palette);
    }
    if let Some(transparent) = file.info().trns.clone() {
        encoder.set_trns(transparent);
    }
    encoder.set_animated(frames, plays)?;
    encoder.set_sep_def_img(has_own_still)?;
    let mut writer = encoder.write_header()?;
    if color_type != ColorType::Indexed {
        write_code_points(&mut writer, colors)?;
    }
    for number in 0..frames + u32::from(has_own_still) {
        let (control, length) = next_frame(&mut file, number, &mut pixels)?;
        if let Some(control) = control {
            place(&mut writer, &control)?;
        }
        writer.write_image_data(&pixels[..length])?;
    }
    drop(writer);
    Ok(stored)
}

fn place(writer: &mut Writer<&mut Vec<u8>>, control: &FrameControl) -> Result<(), EncodingError> {
    writer.reset_frame_position()?;
    writer.set_frame_dimension(control.width, control.height)?;
    writer.set_frame_position(control.x_offset, control.y_offset)?;
    writer.set_frame_delay(control.delay_num, control.delay_den)?;
    writer.set_dispose_op(control.dispose_op)?;
    writer.set_blend_op(control.blend_op)
}

#[cfg(test)]
mod tests {
    use png::{BitDepth, BlendOp, DisposeOp, chunk};

    use super::super::Rendition;
    use super::*;

    /// A still picture, if it has one of its own, and two frames: all of one palette and of two bits a pixel.
    fn animation(has_own_still: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 8, 4);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Two);
        encoder.set_palette(&[0, 0, 0, 90, 90, 90, 255, 0, 0, 0, 0, 255][..]);
        encoder.set_trns(&[0][..]);
        encoder.set_animated(2, 5).unwrap();
        encoder.set_sep_def_img(has_own_still).unwrap();
        encoder.add_text_chunk("Comment".to_owned(), "hidden!".to_owned()).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_chunk(chunk::eXIf, b"hidden!").unwrap();
        if has_own_still {
            writer.write_image_data(&[0b0101_0101; 8]).unwrap();
        }
        writer.set_frame_delay(3, 50).unwrap();
        writer.write_image_data(&[0b1010_1010; 8]).unwrap();
        writer.set_frame_dimension(4, 2).unwrap();
        writer.set_frame_position(1, 2).unwrap();
        writer.set_frame_delay(7, 10).unwrap();
        writer.set_blend_op(BlendOp::Over).unwrap();
        writer.set_dispose_op(DisposeOp::Previous).unwrap();
        writer.write_image_data(&[0b1111_1111; 2]).unwrap();
        writer.finish().unwrap();
        bytes
    }

    /// Each image as it is shown, and its pixels.
    fn images(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let mut file = open(bytes).unwrap();
        let mut pixels = vec![0; file.output_buffer_size().unwrap()];
        (0..)
            .map_while(|number| {
                let (control, length) = next_frame(&mut file, number, &mut pixels).ok()?;
                Some((format!("{control:?}"), pixels[..length].to_vec()))
            })
            .collect()
    }

    #[test]
    fn an_animated_png_stays_as_it_is() {
        for has_own_still in [false, true] {
            let uploaded = animation(has_own_still);
            let picture = Picture::new(&uploaded).unwrap();
            let Rendition { width, height, bytes } = &picture.rendition;
            assert_eq!((picture.format, *width, *height, picture.variants.len()), (Format::Png, 8, 4, 0));
            let stored = images(bytes);
            assert_eq!((stored.len(), &stored), (2 + usize::from(has_own_still), &images(&uploaded)));
            assert_eq!(picture.color, if has_own_still { [90, 90, 90] } else { [255, 0, 0] });
            assert!(!bytes.windows(7).any(|window| window == b"hidden!"));
            let info = open(bytes).unwrap().info().clone();
            assert_eq!(info.animation_control.map(|control| control.num_plays), Some(5));
            assert_eq!(info.bit_depth, BitDepth::Two);
            // A second time nothing changes.
            assert_eq!(&Picture::new(bytes).unwrap().rendition.bytes, bytes);
        }
    }

    #[test]
    fn of_one_that_is_damaged_the_frames_before_or_the_still_picture_stay() {
        let uploaded = animation(true);
        let second = uploaded.windows(4).rposition(|name| name == b"fdAT").unwrap();
        let first = uploaded.windows(4).position(|name| name == b"fdAT").unwrap();
        for (end, frames) in [(second, 1), (first, 0)] {
            let picture = Picture::new(&uploaded[..end]).unwrap();
            let stored = open(&picture.rendition.bytes).unwrap();
            let control = stored.info().animation_control;
            assert_eq!(control.map_or(0, |control| control.num_frames), frames);
        }
    }
}
