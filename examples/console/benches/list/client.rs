//! A browser's connection, which stays open, and how long an answer takes on it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long an answer took, in milliseconds.
pub(crate) struct Times {
    pub(crate) first: f64,
    pub(crate) last: f64,
}

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    cookie: String,
}

struct Answer {
    head: String,
    body: String,
    times: Times,
}

impl Client {
    /// Signed in.
    pub(crate) fn of(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream: BufReader::new(stream), cookie: String::new() };
        let page = client.send("GET", "/sign-in", "")?;
        client.keep(&page.head);
        let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = format!("csrf={}&person=ada", csrf.ok_or("the form has no token")?);
        let entered = client.send("POST", "/sign-in", &form)?;
        client.keep(&entered.head);
        Ok(client)
    }

    /// Asks for the list, to its end.
    pub(crate) fn list(&mut self, asked: &str) -> Result<Times> {
        let answer = self.send("GET", &format!("/projects/checkout/keys?{asked}"), "")?;
        let whole = answer.head.starts_with("HTTP/1.1 200") && answer.body.trim_end().ends_with("</html>");
        if !whole || answer.body.contains("role=\"alert\"") {
            return Err(format!("{asked}: {}", answer.head).into());
        }
        Ok(answer.times)
    }

    fn keep(&mut self, head: &str) {
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        if let Some(cookie) = cookie.and_then(|cookie| cookie.split(';').next()) {
            cookie.clone_into(&mut self.cookie);
        }
    }

    fn send(&mut self, method: &str, path: &str, form: &str) -> Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            self.cookie,
            form.len()
        );
        let began = Instant::now();
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.stream.fill_buf()?;
        let first = began.elapsed();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err("the connection was closed".into());
            }
        }
        let body = self.body(&head)?;
        let [first, last] = [first, began.elapsed()].map(|took| took.as_secs_f64() * 1_000.0);
        Ok(Answer { head, body, times: Times { first, last } })
    }

    /// In one piece of a length that was told, or in pieces that each tell theirs.
    fn body(&mut self, head: &str) -> Result<String> {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = Vec::new();
        if let Some(length) = length {
            body.resize(length.parse()?, 0);
            self.stream.read_exact(&mut body)?;
            return Ok(String::from_utf8(body)?);
        }
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            let length = usize::from_str_radix(line.trim(), 16)?;
            let begin = body.len();
            body.resize(begin + length + 2, 0);
            self.stream.read_exact(&mut body[begin..])?;
            body.truncate(begin + length);
            if length == 0 {
                return Ok(String::from_utf8(body)?);
            }
        }
    }
}
