//! The invalidation bus: every task tells the others what it has changed, through the database.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use metrics::counter;
use tokio::time::sleep;

use super::{Cache, Scope};
use crate::db::channel::{Channel, Message, Wake};
use crate::db::connect_source::ConnectSource;

/// How many resources one message names; more are sent as a change of everything.
const MAX_RESOURCES: usize = 100;

/// How often the connection is tried when nothing arrives on it.
const HEARTBEAT: Duration = Duration::from_secs(5);
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

impl Cache {
    /// Connects to the bus, and again whenever the connection is lost: for ever. What tells of jobs comes and goes by
    /// it too.
    pub async fn run_bus(&self, source: &ConnectSource, wake: &Wake) {
        let mut is_known = false;
        loop {
            let Err(error) = self.exchange(source, wake).await;
            let was_connected = self.state().set_connected(false);
            if was_connected || !is_known {
                tracing::warn!(cause = %error, "nothing is cached until the invalidation bus is connected");
            }
            is_known = true;
            sleep(RECONNECT_DELAY).await;
        }
    }

    async fn exchange(&self, source: &ConnectSource, wake: &Wake) -> sqlx::Result<Infallible> {
        let mut channel = Channel::open(source).await?;
        self.state().set_connected(true);
        tracing::debug!("caching");
        loop {
            tokio::select! {
                message = channel.recv() => match message? {
                    Message::Changes(text) => {
                        let mut state = self.state();
                        parse(&text).for_each(|scope| state.generations.advance(scope));
                        counter!("cache_changes_total", "source" => "others").increment(1);
                    }
                    Message::Jobs => wake.here(),
                },
                () = wake.asked_for_others() => channel.send(&Message::Jobs).await?,
                () = self.0.has_pending.notified() => {
                    let pending = std::mem::take(&mut self.state().pending);
                    channel.send(&Message::Changes(format(&pending))).await?;
                }
                () = sleep(HEARTBEAT) => channel.check().await?,
            }
        }
    }
}

const EVERYTHING: &str = "everything";

/// Ids separated by spaces, or `everything`.
pub(super) fn format(scopes: &BTreeSet<Scope>) -> String {
    let ids = scopes.iter().map(|scope| match scope {
        Scope::Resource(id) => Some(id.to_string()),
        Scope::Nothing | Scope::Everything => None,
    });
    let ids: Option<Vec<_>> = ids.collect();
    ids.filter(|ids| ids.len() <= MAX_RESOURCES).map_or_else(|| EVERYTHING.to_owned(), |ids| ids.join(" "))
}

/// Anything that is not an id counts as a change of everything.
pub(super) fn parse(message: &str) -> impl Iterator<Item = Scope> {
    message.split(' ').map(|id| id.parse().map_or(Scope::Everything, Scope::Resource))
}
