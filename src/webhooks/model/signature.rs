//! Signatures by the Standard Webhooks specification: HMAC-SHA256 over the id, the time and the body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// What a secret begins with where people see it.
const PREFIX: &str = "whsec_";

/// How many bytes a secret has.
pub const SECRET_BYTES: usize = 32;

/// A secret as its receiver keeps it.
#[must_use]
pub fn shown(secret: &[u8]) -> SecretString {
    format!("{PREFIX}{}", STANDARD.encode(secret)).into()
}

/// The value of `webhook-signature`: one for each of the `secrets`.
#[must_use]
pub fn signatures<'a>(
    secrets: impl IntoIterator<Item = &'a SecretSlice<u8>>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> String {
    let signed = format!("{id}.{timestamp}.");
    let of_each = secrets.into_iter().map(|secret| {
        let mac = keyed(secret.expose_secret()).chain_update(&signed).chain_update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    });
    of_each.collect::<Vec<_>>().join(" ")
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).expect("a key of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn it_is_the_signature_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(shown(&secret).expose_secret(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let secrets = [SecretSlice::from(secret)];
        let signature =
            signatures(&secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs() {
        let secrets = [SecretSlice::from(vec![1; 32]), SecretSlice::from(vec![2; 32])];
        let both = signatures(&secrets, "msg_1", 1, b"{}");
        let each = secrets.iter().map(|secret| signatures([secret], "msg_1", 1, b"{}"));
        assert_eq!(both, each.collect::<Vec<_>>().join(" "));
    }
}
