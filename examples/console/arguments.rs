//! What the command line says.

use std::net::SocketAddr;

use tracing_subscriber::filter::LevelFilter;

pub(crate) const USAGE: &str =
    "console [--listen ADDRESS] [--sqlite FILE | --postgres ADDRESS] [--fill N] [--secure] [--log LEVEL]

  --listen ADDRESS    where to listen, 127.0.0.1:8090 unless set
  --sqlite FILE       the file in which the keys are, console.db unless set
  --postgres ADDRESS  the database in which they are; needs the feature postgres
  --fill N            first makes N keys to try the page with
  --secure            the page is reached over TLS: its cookie is sent over nothing else
  --log LEVEL         what is told on standard error: off, error, warn (unless set), info, debug or trace";

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) listen: SocketAddr,
    pub(crate) sqlite: Option<String>,
    pub(crate) postgres: Option<String>,
    pub(crate) fill: usize,
    pub(crate) secure: bool,
    pub(crate) log: LevelFilter,
}

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut read = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8090)),
            sqlite: None,
            postgres: None,
            fill: 0,
            secure: false,
            log: LevelFilter::WARN,
        };
        while let Some(word) = given.next() {
            let mut value = || given.next().ok_or_else(|| format!("{word} needs a value\n\n{USAGE}"));
            let unreadable = |value: &str| format!("{word} cannot be {value:?}\n\n{USAGE}");
            match word.as_str() {
                "--listen" => read.listen = value().and_then(|v| v.parse().map_err(|_| unreadable(&v)))?,
                "--sqlite" => read.sqlite = Some(value()?),
                "--postgres" => read.postgres = Some(value()?),
                "--fill" => read.fill = value().and_then(|v| v.parse().map_err(|_| unreadable(&v)))?,
                "--log" => read.log = value().and_then(|v| v.parse().map_err(|_| unreadable(&v)))?,
                "--secure" => read.secure = true,
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(read)
    }
}
