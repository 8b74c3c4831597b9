//! What becomes of pictures of each kind.

use std::io::Cursor;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

/// Red above on the left, blue elsewhere.
fn marked(width: u32, height: u32) -> DynamicImage {
    let is_red = |x, y| x < width / 2 && y < height / 2;
    RgbImage::from_fn(width, height, |x, y| Rgb(if is_red(x, y) { [255, 0, 0] } else { [0, 0, 255] })).into()
}

fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// An APP1 segment with that orientation and the name of a camera, behind the SOI.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    tiff.extend(b"\x01\x0f\0\x02\0\0\0\x08\0\0\0\x26");
    tiff.extend([1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    tiff.extend(b"\0\0\0\0hidden!\0");
    let length = u16::try_from(2 + 6 + tiff.len()).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

fn decoded(picture: &Picture) -> RgbaImage {
    image::load_from_memory(&picture.rendition.bytes).unwrap().to_rgba8()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn animation(frames: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for number in 0..frames {
        let image = RgbaImage::from_pixel(20, 10, Rgba([number * 40, 0, 0, 255]));
        encoder.encode_frame(Frame::new(image)).unwrap();
    }
    drop(encoder);
    bytes
}

#[test]
fn formats_are_known_by_their_first_bytes() {
    assert_eq!(Format::of(b"\xff\xd8\xff\xe0"), Some(Format::Jpeg));
    assert_eq!(Format::of(b"GIF89a"), Some(Format::Gif));
    for other in [&b""[..], b"<svg", b"GIF90a", b"RIFF....WAVE", b"<html>GIF89a", b"BM", b"%PDF-1.7"] {
        assert!(matches!(Picture::new(other), Err(Rejection::UnknownFormat)));
    }
}

#[test]
fn pictures_are_turned_upright_and_have_no_metadata() {
    for number in 1..=8 {
        let mut raw = marked(60, 40);
        raw.apply_orientation(match Orientation::from_exif(number).unwrap() {
            Orientation::Rotate90 => Orientation::Rotate270,
            Orientation::Rotate270 => Orientation::Rotate90,
            // The others undo themselves.
            orientation => orientation,
        });
        let uploaded = with_exif(&file(&raw, ImageFormat::Jpeg), number);
        assert!(contains(&uploaded, b"hidden!"));
        let picture = Picture::new(&uploaded).unwrap();
        let rendition = &picture.rendition;
        assert_eq!((picture.format, rendition.width, rendition.height), (Format::Jpeg, 60, 40), "{number}");
        assert!(!contains(&rendition.bytes, b"hidden!") && !contains(&rendition.bytes, b"Exif"));
        let upright = decoded(&picture);
        for (x, y, channel) in [(10, 10, 0), (50, 10, 2), (10, 30, 2), (50, 30, 2)] {
            assert!(upright.get_pixel(x, y).0[channel] > 200, "{number} {x} {y}");
        }
    }
}

#[test]
fn large_ones_are_made_small_and_have_variants() {
    let picture = Picture::new(&file(&marked(5000, 100), ImageFormat::Png)).unwrap();
    let size = |rendition: &Rendition| (rendition.width, rendition.height);
    assert_eq!((picture.format, size(&picture.rendition)), (Format::Png, (4096, 82)));
    let variants: Vec<_> = picture.variants.iter().map(size).collect();
    assert_eq!(variants, [(480, 10), (1024, 21), (2048, 41)]);
    assert!(picture.color[2] > picture.color[0] && picture.color[1] < 3, "{:?}", picture.color);
    let tall = Picture::new(&file(&marked(1, 4097), ImageFormat::Png)).unwrap();
    assert_eq!(size(&tall.rendition), (1, 4096));
}

#[test]
fn transparency_and_sixteen_bits_are_kept_as_far_as_they_are_seen() {
    let glass = RgbaImage::from_pixel(4200, 3, Rgba([200, 100, 0, 128]));
    let picture = Picture::new(&file(&glass.into(), ImageFormat::Png)).unwrap();
    let pixel = decoded(&picture).get_pixel(9, 1).0;
    assert!(
        pixel.iter().zip([200, 100, 0, 128]).all(|(is, was): (&u8, u8)| is.abs_diff(was) < 3),
        "{pixel:?}"
    );
    let deep = marked(30, 30).into_rgb16();
    let picture = Picture::new(&file(&deep.into(), ImageFormat::Png)).unwrap();
    assert_eq!(decoded(&picture).get_pixel(1, 1).0, [255, 0, 0, 255]);
}

#[test]
fn animations_stay_as_they_are() {
    let uploaded = animation(5);
    let picture = Picture::new(&uploaded).unwrap();
    assert_eq!((picture.format, picture.variants.len()), (Format::Gif, 0));
    let frames = |bytes: &[u8]| {
        use image::AnimationDecoder;
        let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(bytes.to_vec())).unwrap();
        decoder.into_frames().collect_frames().unwrap()
    };
    let (was, is) = (frames(&uploaded), frames(&picture.rendition.bytes));
    assert_eq!(is.len(), 5);
    for (was, is) in was.iter().zip(&is) {
        assert_eq!((was.buffer(), was.delay()), (is.buffer(), is.delay()));
    }
    assert_eq!(Picture::new(&animation(1)).unwrap().format, Format::Png);
}

#[test]
fn an_interlaced_animation_stays_as_it_is() {
    let rows = |order: [u8; 8]| order.iter().flat_map(|row| [*row; 40]).collect::<Vec<_>>();
    let mut uploaded = Vec::new();
    let palette: Vec<u8> = (0..8).flat_map(|row| [row * 30; 3]).collect();
    let mut encoder = gif::Encoder::new(&mut uploaded, 40, 8, &palette).unwrap();
    for _ in 0..2 {
        let buffer = rows([0, 4, 2, 6, 1, 3, 5, 7]).into();
        let frame = gif::Frame { width: 40, height: 8, interlaced: true, buffer, ..gif::Frame::default() };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    let stored = Picture::new(&uploaded).unwrap().rendition.bytes;
    for file in [&uploaded, &stored] {
        let mut decoder = gif::Decoder::new(&file[..]).unwrap();
        for _ in 0..2 {
            let frame = decoder.read_next_frame().unwrap().unwrap();
            assert_eq!(frame.buffer, rows([0, 1, 2, 3, 4, 5, 6, 7]));
        }
    }
}

/// A WebP file of these chunks.
fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, data) in chunks {
        body.extend_from_slice(*name);
        body.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        body.extend_from_slice(data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [&b"RIFF"[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
}

#[test]
fn an_animated_webp_keeps_its_frames_alone() {
    let still = file(&marked(40, 30), ImageFormat::WebP);
    let frame = [&[0; 6][..], &[39, 0, 0, 29, 0, 0, 50, 0, 0, 0], &still[12..], b"JUNK\x02\0\0\0hi"].concat();
    let uploaded = webp(&[
        (b"VP8X", &[0b0000_1110, 0, 0, 0, 39, 0, 0, 29, 0, 0]),
        (b"ANIM", &[0; 6]),
        (b"ANMF", &frame),
        (b"ANMF", &frame),
        (b"EXIF", b"hidden!"),
        (b"XMP ", b"<x>hidden!</x>"),
        (b"MORE", b"hidden!"),
    ]);
    let uploaded = [&uploaded[..], b"<script>hidden!</script>"].concat();
    let picture = Picture::new(&uploaded).unwrap();
    let stored = &picture.rendition.bytes;
    assert_eq!((picture.format, picture.rendition.width, picture.rendition.height), (Format::Webp, 40, 30));
    assert!(!contains(stored, b"hidden!") && !contains(stored, b"JUNK") && stored.len() < uploaded.len());
    // A second time nothing changes.
    assert_eq!(&Picture::new(stored).unwrap().rendition.bytes, stored);
}

#[test]
fn an_animated_webp_has_each_chunk_once_and_pixels_that_are_shown() {
    let still = file(&marked(40, 30), ImageFormat::WebP);
    let head = [&[0; 6][..], &[39, 0, 0, 29, 0, 0, 50, 0, 0, 0]].concat();
    let frame = [&head, &still[12..], b"VP8L\x08\0\0\0hidden!!", b"ALPH\x08\0\0\0hidden!!"].concat();
    let header: (&[u8; 4], &[u8]) = (b"VP8X", &[0b0000_0010, 0, 0, 0, 39, 0, 0, 29, 0, 0]);
    let with = |profile: &[u8], frame: &[u8]| {
        let frame: (&[u8; 4], &[u8]) = (b"ANMF", frame);
        webp(&[header, (b"ICCP", profile), (b"ANIM", &[0; 6]), frame, (b"ANIM", b"hidden"), frame])
    };
    let profile = profile::tests::profile(&[(b"wtpt", b"XYZ seen"), (b"mmod", b"hidden!")]);
    let stored = Picture::new(&with(&profile, &frame)).unwrap().rendition.bytes;
    assert!(!contains(&stored, b"hidden") && contains(&stored, b"seen"));
    // Of a frame that is never shown, no browser shows an animation.
    let hidden = [&head[..], b"VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x28\0\x1e\0"].concat();
    assert!(matches!(Picture::new(&with(&profile, &hidden)), Err(Rejection::Unreadable(..))));
}

#[test]
fn what_comes_after_a_jpeg_is_not_read() {
    let jpeg = with_exif(&file(&marked(60, 40), ImageFormat::Jpeg), 1);
    let alone = Picture::new(&jpeg).unwrap().rendition.bytes;
    // More scans than any picture may have, and a thumbnail's end within its EXIF data.
    let video = b"\xff\xda".repeat(1_000_000);
    let exif = [&b"\xff\xe1\0\x0c"[..], b"\xff\xd9\xff\xda\xff\xd9\xff\xda\xff\xd9"].concat();
    let motion = [&jpeg[..2], &exif, &jpeg[2..], &video].concat();
    assert_eq!(Picture::new(&motion).unwrap().rendition.bytes, alone);
    let scan = jpeg.windows(2).position(|bytes| bytes == [0xff, 0xda]).unwrap();
    let scans = [&jpeg[..jpeg.len() - 2], &jpeg[scan..jpeg.len() - 2].repeat(900_000)].concat();
    assert!(matches!(Picture::new(&scans), Err(Rejection::TooManyScans)));
}

#[test]
fn what_a_png_says_of_its_colors_stays() {
    use png::{CodingIndependentCodePoints, Info, ScaledFloat, SourceChromaticities, chunk};
    let gamma = ScaledFloat::new(1.0);
    let chromaticities =
        SourceChromaticities::new((0.3127, 0.329), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06));
    let mut uploaded = Vec::new();
    let mut encoder = png::Encoder::new(&mut uploaded, 500, 1);
    encoder.set_source_gamma(gamma);
    encoder.set_source_chromaticities(chromaticities);
    let mut writer = encoder.write_header().unwrap();
    writer.write_chunk(chunk::cICP, &[12, 13, 0, 1]).unwrap();
    writer.write_image_data(&[7; 500]).unwrap();
    drop(writer);
    let picture = Picture::new(&uploaded).unwrap();
    assert_eq!(picture.variants.len(), 1);
    for rendition in picture.variants.iter().chain([&picture.rendition]) {
        let reader = png::Decoder::new(Cursor::new(&rendition.bytes)).read_info().unwrap();
        let Info { gama_chunk, chrm_chunk, coding_independent_code_points: code_points, .. } = reader.info();
        assert_eq!((*gama_chunk, *chrm_chunk), (Some(gamma), Some(chromaticities)));
        let expected = CodingIndependentCodePoints {
            color_primaries: 12,
            transfer_function: 13,
            matrix_coefficients: 0,
            is_video_full_range_image: true,
        };
        assert_eq!(*code_points, Some(expected));
    }
}

#[test]
fn bombs_are_refused_before_anything_is_allocated() {
    let mut jpeg = file(&marked(8, 8), ImageFormat::Jpeg);
    let sof = jpeg.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    jpeg[sof + 5..sof + 9].fill(0xff);
    let mut png = file(&marked(8, 8), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    let mut gif = file(&marked(8, 8), ImageFormat::Gif);
    gif[6..10].fill(0xff);
    for bomb in [jpeg, png, gif] {
        let refused = Picture::new(&bomb).unwrap_err();
        assert!(matches!(refused, Rejection::TooManyPixels(..) | Rejection::Unreadable(..)), "{refused}");
    }
}

/// To make 40 megapixels in one column as short as others are would take gigabytes.
#[test]
fn a_side_is_as_long_as_that_of_a_jpeg_at_most() {
    for (width, height) in [(1, MAX_LENGTH + 1), (MAX_LENGTH + 1, 1)] {
        let refused = Picture::new(&file(&marked(width, height), ImageFormat::Png)).unwrap_err();
        assert!(matches!(refused, Rejection::TooLong(..)), "{refused}");
    }
    let rendition = Picture::new(&file(&marked(2, MAX_LENGTH), ImageFormat::Png)).unwrap().rendition;
    assert_eq!((rendition.width, rendition.height), (1, MAX_SIDE));
}

#[test]
fn whatever_is_damaged_is_refused_or_read() {
    let samples = [
        file(&marked(40, 30), ImageFormat::Jpeg),
        file(&marked(40, 30), ImageFormat::Png),
        file(&marked(40, 30), ImageFormat::WebP),
        file(&marked(40, 30), ImageFormat::Gif),
        animation(3),
    ];
    for sample in samples {
        for at in 0..sample.len() {
            Picture::new(&sample[..at]).ok();
            let mut changed = sample.clone();
            changed[at] ^= 0x55;
            Picture::new(&changed).ok();
        }
    }
}
