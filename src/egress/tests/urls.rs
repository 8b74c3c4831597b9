//! What a URL must be before anything is resolved.

use super::*;
use crate::egress::Refusal;

fn checked(allowed: &str, url: &str) -> Result<String, Refusal> {
    Client::new(allow(allowed)).check(url).map(|to| to.as_str().to_owned())
}

#[test]
fn a_url_is_taken_in_its_normal_form() {
    for (url, normal) in [
        ("https://receiver.example", "https://receiver.example/"),
        ("HTTPS://Receiver.Example:443/Hook?a=b", "https://receiver.example/Hook?a=b"),
        ("https://receiver.example:8443/a/../b", "https://receiver.example:8443/b"),
        ("https://bücher.example/ä?ö", "https://xn--bcher-kva.example/%C3%A4?%C3%B6"),
        ("https://receiver.example./", "https://receiver.example./"),
        ("https://under_score.example/", "https://under_score.example/"),
        ("https:\\\\receiver.example\\hook", "https://receiver.example/hook"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://[2606:4700:4700::1111]:8443/", "https://[2606:4700:4700::1111]:8443/"),
        (
            "https://receiver.example/a|b^c[d]{e}\"f?g|h'{}\"",
            "https://receiver.example/a|b^c[d]%7Be%7D%22f?g|h%27{}%22",
        ),
    ] {
        assert_eq!(checked("", url).as_deref(), Ok(normal), "{url}");
    }
}

#[test]
fn what_is_wrong_with_a_url_is_said() {
    use Refusal as R;
    for (url, refusal) in [
        ("", R::Syntax),
        ("receiver.example/hook", R::Syntax),
        ("/hook", R::Syntax),
        ("http://receiver.example/", R::Scheme),
        ("ftp://receiver.example/", R::Scheme),
        ("file:///etc/passwd", R::Scheme),
        ("gopher://receiver.example/", R::Scheme),
        ("gopher://exa mple.com/", R::Host),
        ("javascript:alert(1)", R::Scheme),
        ("data:text/plain,x", R::Scheme),
        ("https://ada@receiver.example/", R::UserInfo),
        ("https://ada:pass@receiver.example/", R::UserInfo),
        ("https://:pass@receiver.example/", R::UserInfo),
        ("https://receiver.example@127.0.0.1/", R::UserInfo),
        ("https://receiver.example/#top", R::Fragment),
        ("https://receiver.example/#", R::Fragment),
        ("https://", R::Host),
        ("https://?a", R::Host),
        ("https://exa mple.com/", R::Host),
        ("https://a..example/", R::Host),
        ("https://256.1.1.1/", R::Host),
        ("https://1.2.3.4.5/", R::Host),
        ("https://[::1/", R::Host),
        ("https://[fe80::1%25eth0]/", R::Host),
        ("https://-.example/", R::Host),
        ("https://receiver.example:0/", R::Port),
        ("https://receiver.example:65536/", R::Port),
        ("https://receiver.example:https/", R::Port),
        ("https://127.0.0.1/", R::Address),
        ("https://[::ffff:a9fe:aa02]/", R::Address),
    ] {
        assert_eq!(checked("", url), Err(refusal), "{url}");
        assert!(refusal.to_string().starts_with("must "));
    }
    let long = format!("https://receiver.example/{}", "a".repeat(2048 - 25));
    assert!(checked("", &long).is_ok());
    assert_eq!(checked("", &(long + "a")), Err(R::Length));
    // As it is given, though its normal form is short.
    assert_eq!(checked("", &format!("https://receiver.example/{}", "a/../".repeat(405))), Err(R::Length));
    // As long as that only once it is encoded.
    assert_eq!(checked("", &format!("https://receiver.example/{}", "ä".repeat(400))), Err(R::Length));
    assert_eq!(checked("", &format!("https://{}.example/", "a".repeat(64))), Err(R::Host));
}

#[test]
fn http_is_for_networks_that_are_allowed() {
    let allowed = "10.0.0.0/8, http";
    assert_eq!(checked(allowed, "http://10.1.2.3/").as_deref(), Ok("http://10.1.2.3/"));
    assert_eq!(checked(allowed, "http://8.8.8.8/"), Err(Refusal::Address));
    assert_eq!(checked("10.0.0.0/8", "http://10.1.2.3/"), Err(Refusal::Scheme));
    // That is known once its name is resolved.
    assert!(checked(allowed, "http://receiver.example/").is_ok());
}

#[test]
fn a_url_is_logged_without_its_path() {
    let client = Client::new(Allow::default());
    let to = client.check("https://receiver.example:8443/hunter2?token=hunter2").unwrap();
    assert_eq!(to.origin(), "https://receiver.example:8443");
    assert!(!format!("{to:?}").contains("hunter2"));
}
