//! What one client address may have at once of this task: requests in flight, and bytes of responses that wait
//! to be taken. Both end when the last byte was written to the connection, not when the response is ready.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::context::{TrustedProxyHops, client_network};
use super::shares::{Share, Shares};
use crate::error::ApiError;

/// How many bytes of responses may wait for one address.
const MAX_BYTES_PER_ADDRESS: usize = 16 * 1024 * 1024;
/// How many bytes of responses may wait for all.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Answers below this always leave, errors above all.
const SMALL: usize = 16 * 1024;

/// Marks a response that is written while it is taken, and so never waits as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Streamed;

type Waiting = (Share, OwnedSemaphorePermit);

/// The bounds of this task. Cheap to clone.
#[derive(Clone)]
pub struct AddressLimits {
    requests: Option<Shares>,
    bytes: Shares,
    all_bytes: Arc<Semaphore>,
    hops: TrustedProxyHops,
}

impl Default for AddressLimits {
    fn default() -> Self {
        Self::new(None, TrustedProxyHops::default())
    }
}

impl AddressLimits {
    /// Allows each address so many requests in flight. They are counted only behind a proxy: else the bound on
    /// connections holds, each of which has one request in flight.
    #[must_use]
    pub fn new(requests: Option<usize>, hops: TrustedProxyHops) -> Self {
        Self {
            requests: requests.filter(|_| hops.0 > 0).map(Shares::new),
            bytes: Shares::new(MAX_BYTES_PER_ADDRESS),
            all_bytes: Arc::new(Semaphore::new(MAX_BYTES)),
            hops,
        }
    }

    /// Counts the bytes of a response as waiting.
    fn reserve(&self, address: IpAddr, bytes: usize) -> Result<Option<Waiting>, ApiError> {
        if bytes < SMALL {
            return Ok(None);
        }
        let own = self.bytes.take(address, bytes).ok_or(ApiError::Overloaded)?;
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        let of_all = self.all_bytes.clone().try_acquire_many_owned(permits);
        Ok(Some((own, of_all.map_err(|_full| ApiError::Overloaded)?)))
    }
}

/// The place of a request among those of its address.
pub(super) struct Entered {
    address: IpAddr,
    request: Option<Share>,
}

impl AddressLimits {
    /// Fails for the request that is one too many.
    pub(super) fn enter(&self, request: &Request) -> Result<Entered, ApiError> {
        let address = client_network(request.headers(), request.extensions(), self.hops);
        let refusal = ApiError::RateLimited { policy: "concurrency", retry_after: 1 };
        let request = match &self.requests {
            None => None,
            Some(requests) => Some(requests.take(address, 1).ok_or(refusal)?),
        };
        Ok(Entered { address, request })
    }

    /// Keeps what the request holds until the last byte of its response is gone. Fails if there is no room for the
    /// response of a read; what was written is written, and the client is told so.
    pub(super) async fn hold(
        &self,
        Entered { address, request }: Entered,
        is_read: bool,
        response: Response,
    ) -> Result<Response, ApiError> {
        let (parts, mut body) = response.into_parts();
        if http_body::Body::size_hint(&body).exact().is_none() && parts.extensions.get::<Streamed>().is_none()
        {
            // It is whole in memory already, only not compressed.
            body = to_bytes(body, usize::MAX).await.map_err(|error| ApiError::Internal(error.into()))?.into();
        }
        let size = http_body::Body::size_hint(&body).exact().unwrap_or_default();
        let reserved = match self.reserve(address, usize::try_from(size).unwrap_or(usize::MAX)) {
            Ok(reserved) => reserved,
            Err(error) if is_read => return Err(error),
            Err(_full) => None,
        };
        if request.is_none() && reserved.is_none() {
            return Ok(Response::from_parts(parts, body));
        }
        let body = HeldBody { inner: body, held: Arc::new(Held { _request: request, _reserved: reserved }) };
        Ok(Response::from_parts(parts, Body::new(body)))
    }
}

struct Held {
    _request: Option<Share>,
    _reserved: Option<Waiting>,
}

struct HeldBody {
    inner: Body,
    held: Arc<Held>,
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        // The body is dropped once its last piece is read; the piece once it is written.
        let hold = |bytes| Bytes::from_owner(HeldBytes { bytes, _held: self.held.clone() });
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(hold))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A piece of a response, which ends when it is written.
struct HeldBytes {
    bytes: Bytes,
    _held: Arc<Held>,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
