//! Telling users what concerns them, and mailing it.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::model::{Act, Event, Notification, NotificationKind, Subscription};
use super::store::{self, About, Audience, New};
use crate::clock::Clock;
use crate::db::Db;
use crate::http::origin::{PublicUrl, post_address};
use crate::jobs::model::{Claim, Failure};
use crate::mail::{Letter, Mail, Mailer, News, NewsItem, SendError};
use crate::site::store as site;

/// How old a post may be to be new.
const NEWS: TimeDelta = TimeDelta::days(1);
/// How many users one statement tells.
const BATCH: i64 = 1000;
/// How many notifications a mail names.
const MAX_NAMED: usize = 20;

/// Tells those whom an act concerns. Done again, it tells nobody twice.
pub async fn tell(db: &Db, mailer: &Mailer, clock: &Clock, job: &Claim) -> Result<(), Failure> {
    let Act { event, actor } = job.payload()?;
    let teller = Teller { db, has_mail: mailer.is_on(), clock, actor };
    match event {
        Event::Comments { ids } => teller.comments(&ids).await,
        Event::Post { id, at } => teller.post(id, at).await,
        Event::Report { id } => teller.report(id).await,
    }
}

struct Teller<'a> {
    db: &'a Db,
    has_mail: bool,
    clock: &'a Clock,
    /// Who did what is told.
    actor: Option<Uuid>,
}

impl Teller<'_> {
    async fn comments(&self, ids: &[Uuid]) -> Result<(), Failure> {
        let mut new = store::of_comments(&mut self.db.acquire().await?, ids).await?;
        new.retain(|new| Some(new.user_id) != self.actor);
        self.insert(&new).await?;
        let held = store::held(&mut self.db.acquire().await?, ids).await?;
        for held in held {
            let about = About {
                post_id: Some(held.post_id),
                comment_id: Some(held.id),
                ..About::of(NotificationKind::HeldComment)
            };
            self.each(Audience::Staff, held.author_id, about).await?;
        }
        Ok(())
    }

    /// Of a post that was published long before it is told of, nobody is told: it is not new.
    async fn post(&self, id: Uuid, at: DateTime<Utc>) -> Result<(), Failure> {
        let published = store::published(&mut self.db.acquire().await?, id, self.clock.now()).await?;
        let Some(published) = published.filter(|published| at - published.at < NEWS) else { return Ok(()) };
        let about = About { post_id: Some(id), ..About::of(NotificationKind::Post) };
        self.each(Audience::FollowersOf(published.author_id), Some(published.author_id), about).await
    }

    async fn report(&self, id: Uuid) -> Result<(), Failure> {
        let reporter = store::reporter(&mut self.db.acquire().await?, id).await?;
        let Some(reporter) = reporter else { return Ok(()) };
        let about = About { report_id: Some(id), ..About::of(NotificationKind::Report) };
        self.each(Audience::Staff, reporter, about).await
    }

    /// Tells all of an audience, some at a time, but whose it is and who did it.
    async fn each(&self, audience: Audience, owner: Option<Uuid>, about: About) -> Result<(), Failure> {
        let mut after = Uuid::nil();
        loop {
            let mut connection = self.db.acquire().await?;
            let users = store::audience(&mut connection, audience, after, BATCH, self.clock.now()).await?;
            drop(connection);
            let Some(last) = users.last() else { return Ok(()) };
            after = *last;
            let told = users.into_iter().filter(|user| ![owner, self.actor].contains(&Some(*user)));
            let new: Vec<_> = told.map(|user_id| New { user_id, about }).collect();
            self.insert(&new).await?;
        }
    }

    async fn insert(&self, new: &[New]) -> Result<(), Failure> {
        let mut transaction = self.db.begin().await?;
        if self.has_mail {
            store::lock_recipients(&mut transaction, new).await?;
        }
        store::insert(&mut transaction, new, self.has_mail, self.clock.now()).await?;
        Ok(transaction.commit().await?)
    }
}

/// Mails a user what is due to be mailed to them.
pub async fn mail(
    db: &Db,
    mailer: &Mailer,
    public_url: &PublicUrl,
    job: &Claim,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let (id, user_id) = (job.id, job.user_id.unwrap_or_default());
    let mut transaction = db.begin().await?;
    // The settings before the notifications, as a change of them has it.
    let key = store::unsubscribe_key(&mut transaction, user_id, &rand::random::<[u8; 32]>()).await?;
    store::take(&mut transaction, user_id, id, now).await?;
    let notifications = store::in_mail(&mut transaction, user_id, id, now).await?;
    let recipient = store::recipient(&mut transaction, user_id).await?;
    let Some(to) = recipient.filter(|_| !notifications.is_empty()) else {
        store::settle(&mut transaction, user_id, id, &[], now).await?;
        return Ok(transaction.commit().await?);
    };
    let site = site::read(&mut transaction).await?.title;
    // Not held while this waits for the network.
    transaction.commit().await?;
    let unsubscribe = Subscription { key, kind: common_kind(&notifications) }.token();
    let ids: Vec<_> = notifications.iter().map(|notification| notification.id).collect();
    let more = notifications.len().saturating_sub(MAX_NAMED);
    let api = mailer.api_url();
    let items = notifications.into_iter().take(MAX_NAMED).map(|one| item(one, api, public_url)).collect();
    let letter = Letter::Notifications { items, more };
    let mail = Mail { id, to, site: &site, letter, date: now, unsubscribe: Some(unsubscribe) };
    let sent = mailer.send(&mail).await;
    let mut connection = db.acquire().await?;
    match sent {
        Ok(()) => store::settle(&mut connection, user_id, id, &ids, now).await?,
        Err(SendError::NoMailbox(_)) => {
            store::mark_undeliverable(&mut connection, user_id).await?;
            store::settle(&mut connection, user_id, id, &[], now).await?;
        }
        // What may have been sent is sent again as it was; the rest goes with whichever mail is sent first.
        Err(error @ SendError::Unsure(_)) => return Err(error.into()),
        Err(error) => {
            store::release(&mut connection, user_id, id).await?;
            return Err(error.into());
        }
    }
    Ok(())
}

/// What all of them are about, if that is one thing.
fn common_kind(notifications: &[Notification]) -> Option<NotificationKind> {
    let kind = notifications.first()?.kind;
    notifications.iter().all(|notification| notification.kind == kind).then_some(kind)
}

fn item(notification: Notification, api: &str, PublicUrl(site): &PublicUrl) -> NewsItem {
    let who = notification.actor.id.is_some().then(|| notification.actor.shown_name());
    let (post, url) = notification.post.map_or_else(Default::default, |post| {
        let url = post_address(site.as_deref(), api, &post.slug);
        (post.title, Some(url))
    });
    let news = match notification.kind {
        NotificationKind::Reply => News::Reply { who, post },
        NotificationKind::Comment => News::Comment { who, post },
        NotificationKind::HeldComment => News::HeldComment { who, post },
        NotificationKind::Report => News::Report { who },
        NotificationKind::Post => News::Post { who, post },
    };
    NewsItem { news, url }
}
