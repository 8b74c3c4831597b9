//! Why a call has no answer.

/// A class of failures; its `Display` is a sentence for the user who named the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the name has no address")]
    NameUnresolved,
    #[error("the name leads to an address that is not public")]
    AddressRefused,
    #[error("no connection could be made")]
    ConnectionFailed,
    #[error("the certificate is not valid for the name, or not from a public authority")]
    CertificateRefused,
    #[error("no encrypted connection could be made")]
    TlsFailed,
    #[error("there was no answer in time")]
    Timeout,
    #[error("the connection was closed before an answer")]
    ConnectionClosed,
    #[error("the answer is not HTTP/1.1, or its head is too long")]
    MalformedResponse,
}

impl Failure {
    /// The word for it, which stays the same.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NameUnresolved => "name_unresolved",
            Self::AddressRefused => "address_refused",
            Self::ConnectionFailed => "connection_failed",
            Self::CertificateRefused => "certificate_refused",
            Self::TlsFailed => "tls_failed",
            Self::Timeout => "timeout",
            Self::ConnectionClosed => "connection_closed",
            Self::MalformedResponse => "malformed_response",
        }
    }
}
