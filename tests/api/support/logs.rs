//! What the service logs, in production's format, from all tests of the process.

use std::io::Write;
use std::panic::{set_hook, take_hook};
use std::sync::{Mutex, Once};

use blog_api::config::LogFormat;
use blog_api::telemetry;
use serde_json::Value;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let show = take_hook();
        telemetry::install(telemetry::subscriber("info", LogFormat::Json, || Lines));
        let log = take_hook();
        // A test that fails still says why.
        set_hook(Box::new(move |panic| {
            log(panic);
            show(panic);
        }));
    });
}

/// The lines of the request with `id`.
pub(crate) fn of_request(id: &str) -> Vec<Value> {
    let lines = String::from_utf8(LINES.lock().unwrap().clone()).unwrap();
    let lines = lines
        .lines()
        .filter(|line| line.contains(id))
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["span"]["request_id"] == id).collect()
}

pub(crate) fn contain(text: &str) -> bool {
    String::from_utf8_lossy(&LINES.lock().unwrap()).contains(text)
}

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
