//! A service with many rows, and what PostgreSQL reports of how it has found those of a list.

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use super::{AUTHOR, DOCUMENTS, LISTS, POST};
use crate::support::{Reply, TestApp, TestUser, logs};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Who {
    Anyone,
    Reader,
    Editor,
    Admin,
}

/// A service with many rows in its database, which reports every plan to who asks for it.
pub(super) struct Loaded {
    pub(super) app: TestApp,
    pub(super) reader: TestUser,
    pub(super) editor: TestUser,
    pub(super) admin: TestUser,
    /// What stands for the names in the lists' paths.
    pub(super) names: Vec<(&'static str, String)>,
}

impl Loaded {
    pub(super) async fn start() -> Self {
        let app = reporting().await;
        let (reader, editor, admin) = (app.reader().await, app.editor().await, app.admin().await);
        let dataset = include_str!("dataset.sql").replace("{reader}", &reader.id.to_string());
        let dataset = dataset.replace("{editor}", &editor.id.to_string());
        let mut connection = app.admin_options().database(app.database_name()).connect().await.unwrap();
        execute(&mut connection, &dataset).await;
        execute(&mut connection, "vacuum analyze").await;
        let day = app.now() - chrono::TimeDelta::days(1);
        let names = vec![
            ("{reader}", reader.id.to_string()),
            ("{author}", AUTHOR.to_owned()),
            ("{post}", POST.to_owned()),
            ("{webhook}", "00000000-0000-7000-8000-000000000001".to_owned()),
            ("{day}", day.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
            ("{month}", day.format("%Y-%m").to_string()),
        ];
        Self { app, reader, editor, admin, names }
    }

    pub(super) fn fill(&self, path: &str) -> String {
        self.names.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
    }

    pub(super) async fn get(&self, path: &str, who: Who) -> Reply {
        let call = self.app.get(path);
        let call = match who {
            Who::Anyone => call,
            Who::Reader => call.by(&self.reader),
            Who::Editor => call.by(&self.editor),
            Who::Admin => call.by(&self.admin),
        };
        call.expect(200).await
    }

    /// What `judge` has against the plans of any list or document, given its budget of rows.
    pub(super) async fn objections(&self, judge: impl Fn(&[Value], u64) -> Vec<String>) -> String {
        let mut wrong = Vec::new();
        let documents = DOCUMENTS.iter().map(|&(path, budget)| (path, Who::Anyone, budget));
        let requests = LISTS.iter().map(|&(_, path, who, budget)| (path, who, budget)).chain(documents);
        for (path, who, budget) in requests {
            let path = self.fill(path);
            let mut asked = vec![self.get(&path, who).await];
            // A page further on must not read the ones before it.
            let mut further = path.clone();
            for _ in 0..3 {
                if !path.starts_with("/v1/") {
                    break;
                }
                let page = self.get(&format!("{further}&limit=100"), who).await.json();
                let Some(cursor) = page["next_cursor"].as_str() else { break };
                further = format!("{path}&cursor={cursor}");
            }
            asked.push(self.get(&further, who).await);
            for reply in asked {
                let plans = plans(&reply);
                assert!(!plans.is_empty(), "{} has no plan", reply.operation);
                let objections = judge(&plans, budget).join(", ");
                if !objections.is_empty() {
                    let plans: String = plans.iter().map(|plan| outline(plan, 1)).collect();
                    wrong.push(format!("{} by {who:?} {objections}\n{plans}", reply.operation));
                }
            }
        }
        wrong.join("\n")
    }
}

/// A service whose database reports the plan of every statement.
pub(super) async fn reporting() -> TestApp {
    let app = TestApp::start_with(&[("CACHE_MAX_BYTES", "0")]).await;
    let mut connection = app.admin_options().database(app.database_name()).connect().await.unwrap();
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_format = 'json'",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing = off",
        "auto_explain.log_buffers = on",
        // So that the service's own filter lets it through.
        "auto_explain.log_level = 'warning'",
    ] {
        execute(&mut connection, &format!("alter database {} set {setting}", app.database_name())).await;
    }
    app
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(connection).await.unwrap_or_else(|error| panic!("{error}"));
}

/// The plans of the statements that the request executed.
fn plans(reply: &Reply) -> Vec<Value> {
    let lines = logs::of_request(reply.header("x-request-id"));
    let reports = lines.iter().filter(|line| line["target"] == "sqlx::postgres::notice");
    let plan = |line: &Value| {
        let (_, json) = line["message"].as_str()?.split_once("plan:\n")?;
        Some(serde_json::from_str::<Value>(json).unwrap()["Plan"].clone())
    };
    reports.filter_map(plan).collect()
}

/// A plan for people: a line for each node.
fn outline(plan: &Value, depth: usize) -> String {
    let keys =
        ["Relation Name", "Index Name", "Sort Key", "Actual Rows", "Actual Loops", "Rows Removed by Filter"];
    let known = keys.into_iter().filter(|key| !plan[key].is_null());
    let details: Vec<_> = known.map(|key| format!(" {key}={}", plan[key])).collect();
    let children = plan["Plans"].as_array().into_iter().flatten().map(|plan| outline(plan, depth + 1));
    let children: String = children.collect();
    format!("{:1$}{2}{3}\n{children}", "", depth * 2, plan["Node Type"].as_str().unwrap(), details.concat())
}
