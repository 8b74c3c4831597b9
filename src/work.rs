//! What the work on each kind of job is.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::jobs::model::{Claim, Failure, Kind};
use crate::jobs::runner::Runner;
use crate::maintenance;
use crate::media::jobs as media;
use crate::notifications::jobs as notifications;
use crate::posts::jobs as posts;
use crate::state::AppState;
use crate::users::jobs as users;
use crate::webhooks::jobs as webhooks;

/// What works on the jobs of the service with `state`.
#[must_use]
pub fn runner(state: AppState) -> Runner<impl Fn(Claim) -> BoxFuture<'static, Result<(), Failure>>> {
    let (db, clock, wake) = (state.db.clone(), state.clock.clone(), state.wake.clone());
    Runner::new(db, clock, wake, move |job| work(state.clone(), job).boxed())
}

async fn work(state: AppState, job: Claim) -> Result<(), Failure> {
    let AppState { db, cache, clock, renderer, mailer, public_url, storage, egress, .. } = state;
    match job.kind {
        Kind::Mail => users::send(&db, &mailer, &job, clock.now()).await?,
        Kind::PasswordReset => users::look_up(&db, &job, clock.now()).await?,
        Kind::SignUp => users::sign_ups::mail_link(&db, &mailer, &job, clock.now()).await?,
        Kind::Notification | Kind::PostNotification => {
            notifications::tell(&db, &mailer, &clock, &job).await?;
        }
        Kind::NotificationMail | Kind::NotificationDigest => {
            notifications::mail(&db, &mailer, &public_url, &job, clock.now()).await?;
        }
        Kind::Expiry => maintenance::expire(&db, clock.now()).await?,
        Kind::MediaDescription => {
            posts::describe_picture(&db, &cache, &renderer, &job).await?;
            users::describe_avatars(&db, &cache, &job).await?;
        }
        Kind::MediaSweep => media::sweep(&db, storage.0.as_ref(), &clock).await?,
        Kind::Rendering => maintenance::rerender(&db, &cache, &renderer).await?,
        Kind::WebhookPublication => webhooks::publish(&db, &job, clock.now()).await?,
        Kind::WebhookEvent => webhooks::fan_out(&db, &job, clock.now()).await?,
        Kind::WebhookDelivery => webhooks::deliver(&db, &egress, &mailer, &clock, &job).await?,
        Kind::WebhookReplay => webhooks::replay(&db, &job, clock.now()).await?,
    }
    Ok(())
}
