//! Behind a proxy that nobody has told the service of, all clients are one: its address. That shows only when the
//! limits of one address refuse them, so the first requests are looked at.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};

use axum::http::HeaderMap;

use super::context::{TrustedProxyHops, X_FORWARDED_FOR};

/// How many requests are looked at: later, somebody will have sent the header for fun.
const FIRST: u32 = 100;

/// Cheap to clone.
#[derive(Clone)]
pub struct ProxyHint(Arc<(AtomicU32, Once)>);

impl Default for ProxyHint {
    fn default() -> Self {
        Self(Arc::new((AtomicU32::new(FIRST), Once::new())))
    }
}

impl ProxyHint {
    /// Warns once if the request comes from a proxy, but none is trusted.
    pub fn look(&self, headers: &HeaderMap, TrustedProxyHops(hops): TrustedProxyHops) {
        let (left, warned) = &*self.0;
        if hops > 0 || warned.is_completed() {
            return;
        }
        let is_first =
            left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if is_first && headers.contains_key(X_FORWARDED_FOR) {
            warned.call_once(|| {
                tracing::warn!(
                    "X-Forwarded-For is not believed, so all clients of a proxy share the limits of its address: if \
                     there is one, set TRUSTED_PROXY_HOPS to the number of proxies in front of the service"
                );
            });
        }
    }
}
