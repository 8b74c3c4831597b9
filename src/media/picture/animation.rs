//! Animations, whose pixels stay as they are: GIFs are encoded anew from their indexed pixels, and of `WebP`s the chunks
//! are kept that have pixels.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, Encoder};
use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, ImageError, ImageResult, RgbaImage};

use super::profile::of_colors;
use super::{Format, MAX_SIDE, Picture, Rejection, Rendition, check_pixels, resize};

/// How many pixels all frames have together.
const MAX_FRAME_PIXELS: u64 = 400_000_000;

/// What an animation's next frames may have.
pub(super) struct Left(u64);

impl Default for Left {
    fn default() -> Self {
        Self(MAX_FRAME_PIXELS)
    }
}

impl Left {
    pub(super) fn take(&mut self, width: u32, height: u32) -> Result<(), Rejection> {
        let pixels = u64::from(width) * u64::from(height);
        self.0 = self.0.checked_sub(pixels).ok_or(Rejection::TooLongAnimation)?;
        Ok(())
    }
}

/// `None` if the file is no animation.
pub(super) fn stripped(format: Format, bytes: &[u8]) -> Result<Option<Picture>, Rejection> {
    match format {
        Format::Gif => gif(bytes),
        Format::Webp => webp(bytes),
        Format::Jpeg | Format::Png => Ok(None),
    }
}

fn gif(bytes: &[u8]) -> Result<Option<Picture>, Rejection> {
    if gif_frames(bytes)? < 2 {
        return Ok(None);
    }
    let undecodable = |error: gif::DecodingError| Rejection::Unreadable(Format::Gif, error.to_string());
    let unencodable = |error: gif::EncodingError| Rejection::Unreadable(Format::Gif, error.to_string());
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(bytes).map_err(undecodable)?;
    let (width, height) = (decoder.width(), decoder.height());
    check_sides(width.into(), height.into())?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut stored = Vec::new();
    let mut encoder = Encoder::new(&mut stored, width, height, &palette).map_err(unencodable)?;
    encoder.set_repeat(decoder.repeat()).map_err(unencodable)?;
    let mut left = Left::default();
    while let Some(frame) = decoder.next_frame_info().map_err(undecodable)? {
        let mut frame = frame.clone();
        left.take(frame.width.into(), frame.height.into())?;
        check_sides(frame.width.into(), frame.height.into())?;
        let mut indices = vec![0; decoder.buffer_size()];
        decoder.read_into_buffer(&mut indices).map_err(undecodable)?;
        frame.buffer = indices.into();
        // They are read in the order of their rows.
        frame.interlaced = false;
        encoder.write_frame(&frame).map_err(unencodable)?;
    }
    drop(encoder);
    let first = GifDecoder::new(Cursor::new(&stored)).and_then(first_frame);
    picture(Format::Gif, first, stored).map(Some)
}

/// How many frames a GIF has, up to two, without a look at their pixels.
fn gif_frames(bytes: &[u8]) -> Result<usize, Rejection> {
    let undecodable = |error: gif::DecodingError| Rejection::Unreadable(Format::Gif, error.to_string());
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = options.read_info(bytes).map_err(undecodable)?;
    check_pixels(decoder.width().into(), decoder.height().into())?;
    let mut frames = 0;
    while frames < 2 && decoder.next_frame_info().map_err(undecodable)?.is_some() {
        frames += 1;
    }
    Ok(frames)
}

fn webp(bytes: &[u8]) -> Result<Option<Picture>, Rejection> {
    let unreadable = |error: ImageError| Rejection::Unreadable(Format::Webp, error.to_string());
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(unreadable)?;
    if !decoder.has_animation() {
        return Ok(None);
    }
    let stored = pixel_chunks(bytes)
        .ok_or_else(|| Rejection::Unreadable(Format::Webp, "its chunks are damaged".to_owned()))?;
    // What is stored must be what a browser can show, to its last frame.
    let decoder = WebPDecoder::new(Cursor::new(&stored)).map_err(unreadable)?;
    let (width, height) = image::ImageDecoder::dimensions(&decoder);
    check_sides(width, height)?;
    let mut left = Left::default();
    for frame in decoder.into_frames() {
        frame.map_err(unreadable)?;
        left.take(width, height)?;
    }
    let first = WebPDecoder::new(Cursor::new(&stored)).and_then(first_frame);
    picture(Format::Webp, first, stored).map(Some)
}

/// A file with those chunks alone that have pixels or say how they are shown, each once; `None` if it is damaged.
fn pixel_chunks(file: &[u8]) -> Option<Vec<u8>> {
    /// In VP8X: there are EXIF data, and XMP.
    const METADATA_FLAGS: u8 = 0b0000_1100;
    /// There is a colour profile.
    const PROFILE_FLAG: u8 = 0b0010_0000;
    /// How long VP8X is, and ANIM: what comes after it is for nobody.
    const HEADER: usize = 10;
    const ANIMATION_HEADER: usize = 6;
    let length = u32::from_le_bytes(file.get(4..8)?.try_into().ok()?) as usize;
    let body = file.get(12..length.checked_add(8)?)?;
    let chunks = Chunks(body).collect::<Option<Vec<_>>>()?;
    let first = |wanted: &[u8; 4]| chunks.iter().find(|(name, _)| name == wanted).map(|(_, data)| *data);
    let mut header = first(b"VP8X")?.get(..HEADER)?.to_vec();
    header[0] &= !(METADATA_FLAGS | PROFILE_FLAG);
    let profile = first(b"ICCP").and_then(|profile| of_colors(profile, *b"RGB "));
    if profile.is_some() {
        header[0] |= PROFILE_FLAG;
    }
    let mut kept = b"RIFF\0\0\0\0WEBP".to_vec();
    push_chunk(&mut kept, *b"VP8X", &header);
    if let Some(profile) = profile {
        push_chunk(&mut kept, *b"ICCP", &profile);
    }
    push_chunk(&mut kept, *b"ANIM", first(b"ANIM")?.get(..ANIMATION_HEADER)?);
    for (_, frame) in chunks.iter().filter(|(name, _)| name == b"ANMF") {
        push_chunk(&mut kept, *b"ANMF", &pixel_parts(frame)?);
    }
    let length = u32::try_from(kept.len() - 8).ok()?.to_le_bytes();
    kept[4..8].copy_from_slice(&length);
    Some(kept)
}

/// A frame with its pixels alone: the first of what says them, and of what says how transparent they are before that.
fn pixel_parts(frame: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 16;
    /// In the first byte of a lossy image: it is one by itself, and is shown.
    const KEY_FRAME_SHOWN: (u8, u8) = (0b1_0001, 0b1_0000);
    let (header, parts) = frame.split_at_checked(HEADER)?;
    let mut kept = header.to_vec();
    let mut has_alpha = false;
    for part in Chunks(parts) {
        let (name, data) = part?;
        match &name {
            b"ALPH" if !has_alpha => has_alpha = true,
            b"VP8 " if data.first()? & KEY_FRAME_SHOWN.0 != KEY_FRAME_SHOWN.1 => return None,
            b"VP8 " | b"VP8L" => {
                push_chunk(&mut kept, name, data);
                return Some(kept);
            }
            _ => continue,
        }
        push_chunk(&mut kept, name, data);
    }
    None
}

/// The chunks of a RIFF file: the name and the data of each, `None` where it is damaged.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = Option<([u8; 4], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let chunk = split_chunk(self.0);
        self.0 = chunk.map_or(&[], |(.., rest)| rest);
        Some(chunk.map(|(name, data, _)| (name, data)))
    }
}

fn split_chunk(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let (name, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (data, rest) = rest.split_at_checked(length)?;
    // Each begins at an even place.
    Some((*name, data, if length % 2 == 1 { rest.get(1..).unwrap_or_default() } else { rest }))
}

fn push_chunk(file: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    file.extend_from_slice(&name);
    file.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend_from_slice(data);
    if data.len() % 2 == 1 {
        file.push(0);
    }
}

pub(super) fn check_sides(width: u32, height: u32) -> Result<(), Rejection> {
    if width.max(height) > MAX_SIDE {
        return Err(Rejection::TooLargeAnimation(width, height));
    }
    Ok(())
}

fn first_frame<'a>(decoder: impl AnimationDecoder<'a>) -> ImageResult<RgbaImage> {
    let frame = decoder
        .into_frames()
        .next()
        .unwrap_or_else(|| Err(ImageError::IoError(std::io::ErrorKind::UnexpectedEof.into())))?;
    Ok(frame.into_buffer())
}

/// An animation that is stored as these bytes, with the colours of its first frame.
pub(super) fn picture(
    format: Format,
    first: ImageResult<RgbaImage>,
    bytes: Vec<u8>,
) -> Result<Picture, Rejection> {
    let first = first.map_err(|error| Rejection::Unreadable(format, error.to_string()))?;
    let rendition = Rendition { width: first.width(), height: first.height(), bytes };
    let color =
        resize::mean_color(&first).map_err(|error| Rejection::Unreadable(format, error.to_string()))?;
    Ok(Picture { format, rendition, variants: Vec::new(), color })
}
