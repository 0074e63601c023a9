//! Ends a process that does not answer a signal: by threads that need no interpreter, since whatever hangs may hold it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::FromRawFd;
use std::path::PathBuf;
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::python::errors::refuse;

/// Written to the pipe by whoever has heard the signal, and saves.
const ANSWERED: u8 = 0;

/// From a second Ctrl-C to the end, for an interpreter that ends by itself.
const IMPATIENCE: Duration = Duration::from_secs(3);

/// For a sentence and a result that cannot be written either.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// In a result: the moment of its writing.
const NOW: &str = "{now}";

struct Watchdog {
    signals: Vec<u8>,
    to_answer: Duration,
    to_save: Duration,
    exit_code: i32,
    sentence: String,
    result: Option<(PathBuf, String)>,
}

/// Starts the watch over a pipe, whose reading end it takes; `_engine.pyi` says what for.
#[pyfunction]
#[pyo3(signature = (pipe, signals, *, to_answer, to_save, exit_code, sentence, result = None))]
pub fn watch_signals(
    pipe: i32,
    signals: Vec<u8>,
    to_answer: f64,
    to_save: f64,
    exit_code: i32,
    sentence: String,
    result: Option<(PathBuf, String)>,
) -> PyResult<()> {
    let seconds = |name, value| {
        Duration::try_from_secs_f64(value).map_err(|_| refuse(format!("{name}: {value} is no number of seconds")))
    };
    let watchdog = Watchdog {
        signals,
        to_answer: seconds("to_answer", to_answer)?,
        to_save: seconds("to_save", to_save)?,
        exit_code,
        sentence,
        result,
    };
    // SAFETY: the caller hands the descriptor over, and uses it no more.
    let bytes = unsafe { File::from_raw_fd(pipe) };
    let (tell, told) = channel();
    thread::Builder::new().name("signals".into()).spawn(move || hand_on(bytes, &tell))?;
    thread::Builder::new().name("watchdog".into()).spawn(move || watchdog.watch(&told))?;
    Ok(())
}

/// Every byte of the pipe, until its writing end is closed.
fn hand_on(mut bytes: File, tell: &Sender<u8>) {
    let mut byte = [0];
    loop {
        match bytes.read(&mut byte) {
            Ok(1) if tell.send(byte[0]).is_ok() => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

impl Watchdog {
    /// Returns when nobody is left to be watched.
    fn watch(&self, told: &Receiver<u8>) {
        let mut first: Option<Instant> = None;
        let mut deadline: Option<Instant> = None;
        loop {
            let next = match deadline {
                None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => told.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match (next, first) {
                (Ok(ANSWERED), Some(asked)) => deadline = Some(asked + self.to_save),
                (Ok(number), None) if self.signals.contains(&number) => {
                    first = Some(Instant::now());
                    deadline = first.map(|asked| asked + self.to_answer);
                }
                (Ok(number), Some(_)) if i32::from(number) == libc::SIGINT => {
                    deadline = deadline.map(|at| at.min(Instant::now() + IMPATIENCE));
                }
                (Ok(_), _) => {}
                (Err(RecvTimeoutError::Timeout), _) => self.end(),
                (Err(RecvTimeoutError::Disconnected), _) => return,
            }
        }
    }

    /// Says why, as far as that can be done, and ends the process at once: no destructor, no lock, no interpreter.
    fn end(&self) -> ! {
        let (done, is_done) = channel::<()>();
        let sentence = format!("{}\n", self.sentence);
        let result = self.result.clone();
        let telling = thread::Builder::new().spawn(move || {
            // SAFETY: the bytes live until write(2) returns. Rust's own stderr has a lock that may be held.
            unsafe { libc::write(libc::STDERR_FILENO, sentence.as_ptr().cast(), sentence.len()) };
            if let Some((path, content)) = result {
                let _ = std::fs::write(path, content.replace(NOW, &now()));
            }
            drop(done);
        });
        if telling.is_ok() {
            let _ = is_done.recv_timeout(LAST_WORDS);
        }
        // SAFETY: it does not return.
        unsafe { libc::_exit(self.exit_code) }
    }
}

/// The time in UTC, as RFC 3339 has it.
fn now() -> String {
    // SAFETY: time(2) takes a null pointer, and gmtime_r(3) fills what it is given.
    let parts = unsafe {
        let seconds = libc::time(std::ptr::null_mut());
        let mut parts: libc::tm = std::mem::zeroed();
        libc::gmtime_r(&seconds, &mut parts);
        parts
    };
    let (year, month) = (parts.tm_year + 1900, parts.tm_mon + 1);
    format!("{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec)
}
