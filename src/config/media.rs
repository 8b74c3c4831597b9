//! Media: where their bytes are, where readers get them, and how much of them each user may have.

use std::path::PathBuf;

use url::Url;

use super::parse::Variables;

/// Where media are, if they can be uploaded.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// `MEDIA_URL`.
    pub place: PlaceConfig,
    /// `MEDIA_PUBLIC_URL`: where readers get the objects, without a slash at its end.
    pub public_url: String,
    /// `API_URL`: where the service takes what is uploaded to a folder.
    pub api_url: String,
}

/// How much each user may have.
#[derive(Clone, Copy, Debug)]
pub struct QuotaConfig {
    /// `MEDIA_QUOTA_FILES`.
    pub files: i64,
    /// `MEDIA_QUOTA_MIB`, in bytes.
    pub bytes: i64,
}

#[derive(Clone, Debug)]
pub enum PlaceConfig {
    Directory(PathBuf),
    S3(S3Config),
}

#[derive(Clone, Debug)]
pub struct S3Config {
    pub bucket: String,
    /// Of every key, without slashes around it; may be empty.
    pub prefix: String,
    /// That of the bucket; `None` is the service's own.
    pub region: Option<String>,
    /// Whether the bucket is in the path of a URL: other services than Amazon's want that.
    pub path_style: bool,
}

/// In development, beside the data of the private PostgreSQL.
const DIR: &str = ".blog-api/media";

const FORM: &str = "must be `s3://bucket/prefix`, with the bucket's region where it is another `s3://bucket/prefix?region=eu-central-1`, or `off`; in development `file:DIR`";

const QUOTA_FILES: u32 = 10_000;
const QUOTA_MIB: u32 = 5 * 1024;

/// `None` if there are no media: in production without `MEDIA_URL`.
pub(super) fn read(env: &mut Variables<'_>, production: bool, port: u16) -> Option<MediaConfig> {
    let public_url = env.public_url("MEDIA_PUBLIC_URL");
    let api_url = env.text("API_URL").unwrap_or_else(|| format!("http://localhost:{port}"));
    let has_endpoint =
        ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].iter().any(|name| env.text(name).is_some());
    let place = match env.text("MEDIA_URL").as_deref() {
        Some("off") => return None,
        None if production => return None,
        None => PlaceConfig::Directory(DIR.into()),
        Some(text) => match place(text, has_endpoint) {
            Some(PlaceConfig::Directory(_)) if production => {
                env.error(
                    "MEDIA_URL",
                    "must be `s3://bucket/prefix` in production: a task's own files go with it",
                );
                return None;
            }
            Some(place) => place,
            None => {
                env.error("MEDIA_URL", FORM);
                return None;
            }
        },
    };
    let public_url = match (public_url, &place) {
        (Some(url), _) => url,
        (None, PlaceConfig::Directory(_)) => format!("{api_url}/media"),
        (None, PlaceConfig::S3(_)) => {
            env.error(
                "MEDIA_PUBLIC_URL",
                "is required with MEDIA_URL, like `https://media.blog.example`: a bucket is private",
            );
            return None;
        }
    };
    Some(MediaConfig { place, public_url, api_url })
}

pub(super) fn quota(env: &mut Variables<'_>) -> QuotaConfig {
    let files = env.positive("MEDIA_QUOTA_FILES").unwrap_or(QUOTA_FILES);
    let mib = env.positive("MEDIA_QUOTA_MIB").unwrap_or(QUOTA_MIB);
    QuotaConfig { files: files.into(), bytes: i64::from(mib) * 1024 * 1024 }
}

fn place(text: &str, path_style: bool) -> Option<PlaceConfig> {
    if let Some(dir) = text.strip_prefix("file:") {
        return Some(dir).filter(|dir| !dir.is_empty()).map(|dir| PlaceConfig::Directory(dir.into()));
    }
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "s3" && url.fragment().is_none())?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    let bucket = url.host_str().filter(|_| is_plain)?;
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_bucket = (3..=63).contains(&bucket.len()) && bucket.bytes().all(is_of_name);
    let prefix = url.path().trim_matches('/');
    let is_of_prefix = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let region = match url.query() {
        None => None,
        Some(query) => Some(query.strip_prefix("region=")?.to_owned()),
    };
    let is_region = region.iter().all(|region| {
        !region.is_empty()
            && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    });
    let is_valid = is_bucket && is_region && prefix.bytes().all(is_of_prefix) && !prefix.contains("//");
    let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
    is_valid.then_some(PlaceConfig::S3(S3Config { bucket, prefix, region, path_style }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_may_have_a_prefix_and_a_region() {
        for (text, bucket, prefix, region) in [
            ("s3://my-bucket", "my-bucket", "", None),
            ("s3://my-bucket/", "my-bucket", "", None),
            ("s3://my.bucket/media/", "my.bucket", "media", None),
            ("s3://my-bucket/a/b?region=eu-central-1", "my-bucket", "a/b", Some("eu-central-1")),
        ] {
            let Some(PlaceConfig::S3(read)) = place(text, false) else { unreachable!("{text}") };
            assert_eq!((&*read.bucket, &*read.prefix, read.region.as_deref()), (bucket, prefix, region));
        }
        assert!(
            matches!(place("file:/var/media", false), Some(PlaceConfig::Directory(dir)) if dir.to_str() == Some("/var/media"))
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "my-bucket",
            "/var/media",
            "file:",
            "s3:my-bucket",
            "s3://",
            "s3://My_Bucket",
            "s3://ab",
            "s3://key:secret@my-bucket",
            "s3://my-bucket:9000",
            "s3://my-bucket/a//b",
            "s3://my-bucket/a b",
            "s3://my-bucket?endpoint=x",
            "s3://my-bucket?region=",
            "s3://my-bucket#x",
            "https://my-bucket.s3.amazonaws.com",
        ] {
            assert!(place(text, false).is_none(), "{text}");
        }
    }
}
