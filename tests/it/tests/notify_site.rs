//! A mail server and a program that is called, on loopback: what came in, as it came.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What came in so far.
type Heard<T> = Arc<Mutex<Vec<T>>>;

/// Where somebody listens, and what they heard.
pub(crate) struct Listening<T> {
    pub(crate) port: u16,
    heard: Heard<T>,
}

impl<T: Clone> Listening<T> {
    fn start(serve: impl Fn(TcpStream, &Heard<T>) -> std::io::Result<()> + Send + 'static) -> Self
    where
        T: Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Heard::default();
        let kept = heard.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A peer that goes away has said what it had to say.
                let _ = serve(stream, &kept);
            }
        });
        Self { port, heard }
    }

    pub(crate) fn heard(&self) -> Vec<T> {
        self.heard.lock().unwrap().clone()
    }

    /// What came in since it was asked last.
    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

/// A call: headers in small letters, and the body.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Call {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("{name} in {self:?}")).1
    }
}

/// A program that answers every call with that status.
pub(crate) fn program(status: u16) -> Listening<Call> {
    Listening::start(move |stream, heard| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let (mut line, mut headers) = (String::new(), Vec::new());
        reader.read_line(&mut line)?;
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut call = Call {
            headers,
            body: String::new(),
        };
        let length = call
            .headers
            .iter()
            .find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, length)| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        call.body = String::from_utf8(body).unwrap();
        heard.lock().unwrap().push(call);
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {status} Status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    })
}

/// A mail server (RFC 5321) that keeps every message; `refuses` is what it says to a recipient in place of 250.
pub(crate) fn mail_server(refuses: Option<&'static str>) -> Listening<String> {
    Listening::start(move |stream, heard| {
        let (mut reader, mut stream) = (BufReader::new(stream.try_clone()?), stream);
        write!(stream, "220 mail.test\r\n")?;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 {
            let verb = line.split([' ', ':', '\r']).next().unwrap_or_default();
            match (verb, refuses) {
                ("RCPT", Some(refusal)) => write!(stream, "{refusal}\r\n")?,
                ("DATA", _) => {
                    write!(stream, "354 go on\r\n")?;
                    let mut message = String::new();
                    loop {
                        line.clear();
                        reader.read_line(&mut line)?;
                        match line.as_str() {
                            ".\r\n" => break,
                            _ => message.push_str(&line),
                        }
                    }
                    heard.lock().unwrap().push(message);
                    write!(stream, "250 kept\r\n")?;
                }
                ("QUIT", _) => return write!(stream, "221 bye\r\n"),
                _ => write!(stream, "250 fine\r\n")?,
            }
            line.clear();
        }
        Ok(())
    })
}
