//! The service as a process of its own, for what only a process shows: its environment, signals, its exit code.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) struct Process {
    child: Child,
    /// `localhost:PORT`.
    pub(crate) address: String,
    lines: Arc<Mutex<Vec<String>>>,
    reading: JoinHandle<()>,
}

impl Process {
    /// Starts `command`, which serves on a free port.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_until(command, "serving on http://")
    }

    /// Starts `command`, and waits until it says `line` and its address.
    pub(crate) fn start_until(command: &mut Command, line: &str) -> Self {
        let awaited = line;
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let serving = output.by_ref().map(Result::unwrap).find_map(|line| {
            lines.lock().unwrap().push(line.clone());
            let (_, rest) = line.split_once(awaited)?;
            Some(rest.split([' ', '"']).next().unwrap().to_owned())
        });
        let Some(address) = serving else {
            let mut errors = String::new();
            child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            panic!("the service does not start: {errors}");
        };
        // Whoever writes to a closed pipe dies: keep reading.
        let reading = std::thread::spawn({
            let lines = lines.clone();
            move || output.map_while(Result::ok).for_each(|line| lines.lock().unwrap().push(line))
        });
        Self { child, address, lines, reading }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn stderr(&mut self) -> impl Read {
        self.child.stderr.take().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for its end: the exit code, unless a signal killed it.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub(crate) fn stop(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        self.exit_code()
    }

    /// Waits for its end, and that of all it started: the exit code and everything it has logged.
    pub(crate) fn stop_and_read(mut self, signal: Signal) -> (Option<i32>, String) {
        self.signal(signal);
        let code = self.exit_code();
        while !self.reading.is_finished() {
            std::thread::yield_now();
        }
        (code, self.log())
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Asks with a connection of its own: status and body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.request("GET", path)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> (u16, String) {
        request(&self.address, method, path)
    }

    /// The value of each series that Prometheus finds.
    pub(crate) fn metrics(&self) -> Vec<(String, String)> {
        let log = self.log();
        let (_, rest) = log.split_once("metrics on http://").unwrap_or_else(|| panic!("{log}"));
        let (address, _) = rest.split_once('/').unwrap();
        let (status, text) = request(address, "GET", "/metrics");
        assert_eq!(status, 200, "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains(' '));
        lines
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').unwrap();
                (series.to_owned(), value.to_owned())
            })
            .collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn request(address: &str, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    read_answer(&mut stream)
}

/// Reads to the end of the connection: status and body.
pub(crate) fn read_answer(stream: &mut TcpStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
