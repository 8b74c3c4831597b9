//! The queue: what is asked for is done at least once, whoever dies meanwhile, and nothing waits for what hangs.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use blog_api::clock::Clock;
use blog_api::db::channel::Wake;
use blog_api::jobs::model::{Claim, Failure, Kind, MAX_ATTEMPTS};
use blog_api::jobs::runner::{self, Runner};
use blog_api::jobs::store::{self, NewJob};
use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::support::{TestApp, TestUser};

async fn ask(app: &TestApp, kind: Kind, about: Option<&TestUser>) -> Uuid {
    let now = app.now();
    let new = NewJob { kind, payload: json!({}), user_id: about.map(|user| user.id), run_at: now };
    store::insert(&mut app.db.acquire().await.unwrap(), new, now).await.unwrap()
}

type Work = BoxFuture<'static, Result<(), Failure>>;

/// Works on the jobs of `app` by `work`, at the time of `app`.
fn runner<W: Fn(Claim) -> Work + Send + Sync + 'static>(app: &TestApp, work: W) -> Runner<W> {
    Runner::new(app.db.clone(), app.clock(), Wake::default(), work)
}

/// What was tried: the job, and which attempt.
#[derive(Clone, Default)]
struct Attempts(Arc<Mutex<Vec<(Uuid, i32)>>>);

impl Attempts {
    fn note(&self, job: &Claim) {
        self.0.lock().unwrap().push((job.id, job.attempts));
    }

    fn take(&self) -> Vec<(Uuid, i32)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn failing<F: Fn() -> Failure + Send + Sync + 'static>(
    attempts: &Attempts,
    failure: F,
) -> impl Fn(Claim) -> Work + Send + Sync + use<F> {
    let attempts = attempts.clone();
    move |job| {
        attempts.note(&job);
        let failure = failure();
        async move { Err(failure) }.boxed()
    }
}

fn passing() -> Failure {
    Failure::Passing("connection refused".into())
}

#[tokio::test]
async fn of_many_who_claim_each_job_goes_to_one() {
    let app = TestApp::start().await;
    let attempts = Attempts::default();
    let mut asked = Vec::new();
    for _ in 0..50 {
        asked.push(ask(&app, Kind::Mail, None).await);
    }
    let done = || {
        let attempts = attempts.clone();
        runner(&app, move |job: Claim| {
            attempts.note(&job);
            async { Ok(()) }.boxed()
        })
    };
    let (one, other) = (done(), done());
    let (first, second) = tokio::join!(one.run_due(), other.run_due());
    assert_eq!(first.unwrap() + second.unwrap(), asked.len());
    let mut tried = attempts.take();
    tried.sort_unstable();
    assert_eq!(tried, asked.into_iter().map(|id| (id, 1)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_job_that_fails_is_tried_later_and_later_and_then_given_up() {
    let app = TestApp::start().await;
    let (admin, attempts) = (app.admin().await, Attempts::default());
    let id = ask(&app, Kind::Mail, None).await;
    let runner = runner(&app, failing(&attempts, passing));
    assert_eq!(runner.run_due().await.unwrap(), 1);
    app.advance(TimeDelta::seconds(7));
    assert_eq!(runner.run_due().await.unwrap(), 0);
    app.advance(TimeDelta::seconds(8));
    assert_eq!(runner.run_due().await.unwrap(), 1);

    let waiting = app.get("/v1/jobs?status=waiting").by(&admin).expect(200).await;
    assert_eq!(waiting.items("id"), [id.to_string()]);
    assert_eq!(waiting.items("error"), ["connection refused"]);
    for _ in 2..MAX_ATTEMPTS {
        app.advance(TimeDelta::hours(1));
        assert_eq!(runner.run_due().await.unwrap(), 1);
    }
    app.advance(TimeDelta::hours(1));
    assert_eq!(runner.run_due().await.unwrap(), 0);
    assert_eq!(attempts.take(), (1..=MAX_ATTEMPTS).map(|number| (id, number)).collect::<Vec<_>>());
    let failed = app.get("/v1/jobs").by(&admin).expect(200).await;
    assert_eq!(failed.items("id"), [id.to_string()]);
    assert_eq!(failed.json()["items"][0]["attempts"], MAX_ATTEMPTS);
}

#[tokio::test]
async fn what_will_not_pass_is_given_up_at_once_and_forgotten_after_a_month() {
    let app = TestApp::start().await;
    let (admin, attempts) = (app.admin().await, Attempts::default());
    ask(&app, Kind::Mail, None).await;
    let runner = runner(&app, failing(&attempts, || Failure::Lasting("no such mailbox".into())));
    assert_eq!(runner.run_due().await.unwrap(), 1);
    app.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    app.maintain().await;
    assert_eq!(runner.run_due().await.unwrap(), 0);
    let failed = app.get("/v1/jobs?status=failed").by(&admin).expect(200).await;
    assert_eq!(failed.items("error"), ["no such mailbox"]);
    app.advance(TimeDelta::seconds(1));
    app.maintain().await;
    assert!(app.get("/v1/jobs").by(&app.admin().await).expect(200).await.items("id").is_empty());
}

#[tokio::test]
async fn an_admin_has_a_job_tried_anew() {
    let app = TestApp::start().await;
    let (admin, attempts) = (app.admin().await, Attempts::default());
    let id = ask(&app, Kind::Mail, None).await;
    let path = format!("/v1/jobs/{id}/retry");
    app.post(&path).by(&admin).expect_fields(409, &[("id", "not_failed")]).await;
    runner(&app, failing(&attempts, || Failure::Lasting("no".into()))).run_due().await.unwrap();

    let retry = || app.post(&path).by(&admin).header("idempotency-key", "once");
    let retried = retry().expect(200).await.json();
    assert_eq!((&retried["status"], &retried["attempts"]), (&json!("waiting"), &json!(0)));
    assert_eq!(retry().expect(200).await.header("idempotency-replayed"), "true");
    let audit = app.get("/v1/audit?action=job.retried").by(&admin).expect(200).await;
    assert_eq!(audit.items("target_id"), [id.to_string()]);
    attempts.take();
    runner(&app, failing(&attempts, passing)).run_due().await.unwrap();
    assert_eq!(attempts.take(), [(id, 1)]);
    app.post(&format!("/v1/jobs/{}/retry", Uuid::now_v7())).by(&admin).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn what_a_dead_process_had_is_taken_over_when_its_lease_ends_and_it_cannot_finish_it_any_more() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let id = ask(&app, Kind::Mail, None).await;
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let (finish, may_finish) = tokio::sync::oneshot::channel::<()>();
    let may_finish = may_finish.shared();
    let stalled = runner(&app, move |job: Claim| {
        let may_finish = may_finish.clone();
        begun.send(job.id).unwrap();
        async move { may_finish.await.map_err(|error| Failure::Passing(error.into())) }.boxed()
    });
    let attempts = Attempts::default();
    let other = runner(&app, failing(&attempts, passing));
    let stalls = stalled.run_due();
    let takes_over = async {
        assert_eq!(has_begun.recv().await, Some(id));
        let running = app.get("/v1/jobs?status=running").by(&admin).expect(200).await;
        assert_eq!(running.items("id"), [id.to_string()]);
        app.advance(TimeDelta::seconds(29));
        assert_eq!(other.run_due().await.unwrap(), 0);
        app.advance(TimeDelta::seconds(1));
        assert_eq!(other.run_due().await.unwrap(), 1);
        assert_eq!(attempts.take(), [(id, 2)]);
        finish.send(()).unwrap();
    };
    let (_, ()) = tokio::join!(stalls, takes_over);
    let waiting = app.get("/v1/jobs?status=waiting").by(&admin).expect(200).await;
    assert_eq!(waiting.items("error"), ["connection refused"], "the first has finished the second's attempt");
}

#[tokio::test]
async fn a_job_whose_process_dies_each_time_is_given_up() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    ask(&app, Kind::Mail, None).await;
    for _ in 0..MAX_ATTEMPTS {
        let (now, lease_end) = (app.now(), app.now() + TimeDelta::seconds(30));
        let mut connection = app.db.acquire().await.unwrap();
        let places = [(Kind::Mail, 1)];
        let claimed =
            store::claim(&mut connection, Uuid::now_v7(), &[], &places, now, lease_end).await.unwrap();
        assert_eq!(claimed.len(), 1);
        app.advance(TimeDelta::seconds(30));
    }
    let attempts = Attempts::default();
    runner(&app, failing(&attempts, passing)).run_due().await.unwrap();
    assert_eq!(attempts.take(), []);
    let failed = app.get("/v1/jobs").by(&admin).expect(200).await;
    assert_eq!(failed.items("error"), ["its process has died each time"]);
}

#[tokio::test]
async fn a_panic_is_a_failure_like_any_other() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    ask(&app, Kind::Mail, None).await;
    let panicking = runner(&app, |_| async { panic!("of a test") }.boxed());
    assert_eq!(panicking.run_due().await.unwrap(), 1);
    let waiting = app.get("/v1/jobs?status=waiting").by(&admin).expect(200).await;
    assert_eq!(waiting.items("error"), ["it panicked"]);
}

/// Runs with the system's clock: it claims by itself.
#[tokio::test]
async fn hundreds_of_jobs_that_hang_keep_no_other_kind_waiting_and_are_given_back_at_the_end() {
    let app = TestApp::start().await;
    for _ in 0..500 {
        ask(&app, Kind::Mail, None).await;
    }
    let (begun, mut is_begun) = mpsc::unbounded_channel();
    let (wake, (stop, stopped)) = (Wake::default(), runner::stop());
    let running = Runner::new(app.db.clone(), Clock::system(), wake.clone(), move |job: Claim| {
        let begun = begun.clone();
        async move {
            begun.send(job.kind).unwrap();
            if job.kind == Kind::Mail { pending().await } else { Ok(()) }
        }
        .boxed()
    });
    let running = tokio::spawn(running.run(stopped));
    wake.here();
    let mut hanging = 0;
    while hanging < Kind::Mail.places() {
        hanging += usize::from(is_begun.recv().await == Some(Kind::Mail));
    }
    ask(&app, Kind::PasswordReset, None).await;
    wake.here();
    while is_begun.recv().await != Some(Kind::PasswordReset) {}

    stop.stop(Duration::ZERO).await;
    assert!(!running.is_finished(), "a background task that ends stops the service");
    let held = "select count(*) from jobs where kind = 'mail' and (holder is not null or attempts > 0)";
    let held: i64 = sqlx::query_scalar(held).fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap();
    assert_eq!(held, 0);
}

#[tokio::test]
async fn what_is_done_from_time_to_time_is_due_again_and_made_if_it_is_missing() {
    let app = TestApp::start().await;
    let (mut connection, kinds) = (app.db.acquire().await.unwrap(), [Kind::Expiry, Kind::Rendering]);
    for _ in 0..2 {
        store::insert_periodic(&mut connection, &kinds, app.now()).await.unwrap();
    }
    assert_eq!(app.run_jobs().await, 2);
    assert_eq!(app.run_jobs().await, 0);
    app.advance(TimeDelta::minutes(10));
    assert_eq!(app.run_jobs().await, 2);
    let fails = Attempts::default();
    let failing = runner(&app, failing(&fails, || Failure::Lasting("it cannot".into())));
    for _ in 0..=MAX_ATTEMPTS {
        app.advance(TimeDelta::hours(1));
        assert_eq!(failing.run_due().await.unwrap(), 2);
        assert_eq!(fails.take().len(), 2, "it is never given up");
    }
}

#[tokio::test]
async fn a_task_that_is_full_wakes_the_others() {
    let app = TestApp::start().await;
    let other = app.start_beside(&[]);
    let woken = other.wake().woken();
    tokio::pin!(woken);
    // The other's own runner may be the first to hear it.
    while (&mut woken).now_or_never().is_none() {
        app.wake().others();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_job_about_a_user_goes_with_them() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin().await, app.author().await);
    ask(&app, Kind::Mail, Some(&user)).await;
    let export = app.get("/v1/users/me/export").by(&user).expect(200).await.json();
    assert_eq!(export["jobs"][0]["kind"], "mail");
    app.delete(&format!("/v1/users/{}", user.id)).by(&user).expect(204).await;
    assert!(app.get("/v1/jobs?status=waiting").by(&admin).expect(200).await.items("id").is_empty());
}
