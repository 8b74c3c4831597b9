//! What the service tells of itself: [`metrics`], and logs on standard output, a line for each event, as text for
//! people or as JSON for machines. No log line holds a credential or personal data: events name ids and causes.

pub mod emf;
pub mod metrics;

use std::io::IsTerminal;
use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::LogFormat;

/// Logs to standard output, panics too, inside the span of their request. Does nothing after the first call.
pub fn init(level: &str, format: LogFormat) {
    install(subscriber(level, format, std::io::stdout));
}

/// As [`init`], to `subscriber`.
pub fn install(subscriber: Box<dyn Subscriber + Send + Sync>) {
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// What writes the lines of `level` (in the syntax of `RUST_LOG`) and above.
pub fn subscriber<W>(level: &str, format: LogFormat, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // PostgreSQL's notices are about what migrations find done already; the AWS SDK writes whole requests at `trace`,
    // with mails and credentials. `level` can ask for both by name.
    let filter = EnvFilter::new(format!("sqlx::postgres::notice=warn,aws_=info,{level}"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match format {
        LogFormat::Text => {
            Box::new(subscriber.with_target(false).with_ansi(std::io::stdout().is_terminal()).finish())
        }
        LogFormat::Json => Box::new(subscriber.json().flatten_event(true).with_span_list(false).finish()),
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let backtrace = std::backtrace::Backtrace::capture();
    tracing::error!(
        cause = panic.payload_as_str(),
        location,
        backtrace =
            (backtrace.status() == std::backtrace::BacktraceStatus::Captured).then(|| backtrace.to_string()),
        "panic"
    );
}
