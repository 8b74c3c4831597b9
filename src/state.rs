//! What handlers and extractors can ask for.

use std::thread::available_parallelism;

use axum::extract::FromRef;

use crate::auth::login_throttle::LoginThrottleEnabled;
use crate::auth::password::Passwords;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::db::channel::Wake;
use crate::egress;
use crate::export::routes::ExportSlots;
use crate::http::context::TrustedProxyHops;
use crate::http::origin::PublicUrl;
use crate::http::preconditions::RequireIfMatch;
use crate::language::Language;
use crate::lifecycle::Lifecycle;
use crate::mail::{self, Mailer};
use crate::markdown::Renderer;
use crate::media::routes::{Quota, Uploads};
use crate::media::storage::{MaybeStorage, Storage};
use crate::posts::store::NextPublication;
use crate::users::jobs::MailQueue;
use crate::users::routes::{MailEventsToken, SignUpPolicy};
use crate::webhooks::routes::WebhooksOn;

/// How many passwords are hashed at once, whatever the machine.
const MAX_HASHES: usize = 4;

/// The state of the service; a handler asks for each part by its own type.
#[derive(Clone, FromRef)]
pub struct AppState {
    pub db: Db,
    pub cache: Cache,
    pub clock: Clock,
    pub lifecycle: Lifecycle,
    pub passwords: Passwords,
    pub sign_up: SignUpPolicy,
    pub require_if_match: RequireIfMatch,
    pub export_slots: ExportSlots,
    pub attempt_limits: LoginThrottleEnabled,
    pub default_language: Language,
    pub trusted_proxy_hops: TrustedProxyHops,
    pub public_url: PublicUrl,
    pub renderer: Renderer,
    pub storage: MaybeStorage,
    pub uploads: Uploads,
    pub media_quota: Quota,
    pub next_publication: NextPublication,
    pub wake: Wake,
    pub mailer: Mailer,
    pub mail_queue: MailQueue,
    pub mail_events_token: MailEventsToken,
    pub webhooks: WebhooksOn,
    pub egress: egress::Client,
}

/// Why there is no state: a mistake in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    Passwords(#[from] argon2::Error),
    #[error(transparent)]
    Mail(#[from] mail::BuildError),
}

impl AppState {
    pub fn new(config: &Config, db: Db, clock: Clock, lifecycle: Lifecycle) -> Result<Self, StateError> {
        // Half the cores at most, so that requests without passwords go on through a flood of logins.
        let cores = available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let hashing_slots = cores.div_ceil(2).min(MAX_HASHES);
        let cache = Cache::new(config.cache_max_bytes);
        let (mailer, wake) = (Mailer::new(config.mail.as_ref())?, Wake::default());
        Ok(Self {
            db,
            next_publication: NextPublication::new(cache.clone()),
            cache,
            clock,
            lifecycle,
            passwords: Passwords::new(hashing_slots)?,
            sign_up: SignUpPolicy {
                mode: config.sign_up,
                default_role: config.default_role,
                refuse_common_passwords: config.password_blocklist,
            },
            require_if_match: RequireIfMatch(config.require_if_match),
            export_slots: ExportSlots::default(),
            attempt_limits: LoginThrottleEnabled(config.attempt_limits),
            default_language: config.default_language,
            trusted_proxy_hops: TrustedProxyHops(config.trusted_proxy_hops),
            renderer: Renderer::new(
                config.public_url.as_deref(),
                config.media.as_ref().map(|media| media.public_url.as_str()),
            ),
            storage: MaybeStorage(config.media.as_ref().map(Storage::new)),
            uploads: Uploads::default(),
            media_quota: Quota(config.media_quota),
            mail_queue: MailQueue::new(mailer.clone(), wake.clone()),
            mailer,
            mail_events_token: MailEventsToken(config.mail_events_token_hash),
            webhooks: WebhooksOn(config.webhooks),
            egress: egress::Client::new(config.webhook_allow.clone()),
            wake,
            public_url: PublicUrl(config.public_url.as_deref().map(Into::into)),
        })
    }
}
