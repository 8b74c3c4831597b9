"""What exiftool finds in files, and which of it a stored picture may have."""

import json
import subprocess

# All of these: about the file itself, or of a colour profile.
GROUPS = {"System", "Composite", "JFIF", "ExifTool:ExifToolVersion"}
PROFILE = "ICC"
# How a picture is encoded: what no decoder can do without.
TAGS = {
    "File": {"FileType", "FileTypeExtension", "MIMEType", "ImageWidth", "ImageHeight", "EncodingProcess", "BitsPerSample",
             "ColorComponents", "YCbCrSubSampling"},
    "PNG": {"ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace", "ProfileName",
            "Transparency", "Palette", "Gamma", "WhitePointX", "WhitePointY", "RedX", "RedY", "GreenX", "GreenY", "BlueX", "BlueY",
            "ColorPrimaries", "TransferCharacteristics", "MatrixCoefficients", "VideoFullRangeFlag", "AnimationFrames", "AnimationPlays"},
    "GIF": {"GIFVersion", "ImageWidth", "ImageHeight", "HasColorMap", "ColorResolutionDepth", "BitsPerPixel",
            "BackgroundColor", "AnimationIterations", "FrameCount", "Duration", "TransparentColor"},
    "RIFF": {"WebP_Flags", "ImageWidth", "ImageHeight", "BackgroundColor", "AnimationLoopCount", "FrameCount", "Duration",
             "VP8Version", "HorizontalScale", "VerticalScale", "VP8Bitstream", "AlphaIsUsed", "AlphaPreprocessing",
             "AlphaFiltering", "AlphaCompression"},
}  # fmt: skip


def read(folder):
    """The tags of each file of a folder, with their groups."""
    command = ["exiftool", "-json", "-G1", "-a", "-u", "-q", "-r", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def is_allowed(tag):
    group, _, name = tag.partition(":")
    if tag == "SourceFile" or tag in GROUPS or group in GROUPS or group.startswith(PROFILE):
        return True
    return name in TAGS.get(group, ())


def surplus(folder):
    """What the files of a folder have and may not have."""
    return [f"{file['SourceFile']}: {tag}: {value}" for file in read(folder) for tag, value in file.items() if not is_allowed(tag)]
