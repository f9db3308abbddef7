//! The four steps in which a key is made, as types: no step can be skipped, repeated or taken early.

use chrono::{DateTime, Utc};

use super::scope::check_reach;
use super::{AgentId, EnvironmentId, Field, Invalid, PromptId, Review, Scope, text, time};

/// A key being created. Each step returns the type that offers only the next one.
///
/// 1. [`info`](Draft::info): name, description, environment, expiry
/// 2. [`agents`](Draft::agents): all agents, or these
/// 3. [`prompts`](Draft::prompts): all prompts, or these
/// 4. a [`Review`], which a person reads before it is generated
///
/// Usually begun by [`ProjectKeys::draft`](crate::ProjectKeys::draft), with the clock of the builder. A page
/// that goes back and forth between requests keeps a [`KeyForm`](crate::KeyForm) instead.
///
/// ```
/// use std::time::SystemTime;
/// use access_keys::{AgentId, Draft, EnvironmentId, KeyInfo, Scope};
///
/// let review = Draft::at(SystemTime::now())
///     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
///     .agents(Scope::specific([AgentId::new("support-bot")?])?)
///     .prompts(Scope::All)?;
/// assert!(review.to_string().contains("all prompts, including those created later"));
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Debug)]
#[must_use = "a draft is nothing until its last step is reviewed and generated"]
pub struct Draft<Step = NeedsInfo> {
    now: DateTime<Utc>,
    step: Step,
}

/// Step 1 of a [`Draft`]: key info comes next.
#[derive(Debug)]
pub struct NeedsInfo(());

/// Step 2 of a [`Draft`]: agent access comes next.
#[derive(Debug)]
pub struct NeedsAgents {
    info: KeyInfo,
}

/// Step 3 of a [`Draft`]: prompt access comes next.
#[derive(Debug)]
pub struct NeedsPrompts {
    info: KeyInfo,
    agents: Scope<AgentId>,
}

impl Draft {
    /// A draft that is begun at `now`, the time by which its expiry is judged.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    pub fn at(now: impl Into<DateTime<Utc>>) -> Self {
        Self { now: time::micros(now.into()), step: NeedsInfo(()) }
    }

    /// Step 1: what the key is called, where it is valid and until when.
    pub fn info(self, info: KeyInfo) -> Draft<NeedsAgents> {
        Draft { now: self.now, step: NeedsAgents { info } }
    }
}

impl Draft<NeedsAgents> {
    /// Step 2: the agents that the key may call.
    pub fn agents(self, agents: Scope<AgentId>) -> Draft<NeedsPrompts> {
        Draft { now: self.now, step: NeedsPrompts { info: self.step.info, agents } }
    }
}

impl Draft<NeedsPrompts> {
    /// Step 3: the prompts that the key may call.
    ///
    /// # Errors
    /// [`Invalid`] when neither step 2 nor step 3 lets the key reach anything, and when the expiry is not
    /// later than now.
    pub fn prompts(self, prompts: Scope<PromptId>) -> Result<Review, Invalid> {
        let NeedsPrompts { info, agents } = self.step;
        check_reach(&agents, &prompts)?;
        time::check_expiry(info.expires_at, self.now)?;
        Ok(Review::new(info, agents, prompts, self.now))
    }
}

/// The first step: what a key is called, where it is valid and until when.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use access_keys::{EnvironmentId, KeyInfo};
///
/// let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?
///     .description("iOS and Android")?
///     .expires_at(SystemTime::now() + Duration::from_secs(90 * 86_400)); // without it: never
/// # let _ = info;
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct KeyInfo {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) environment: EnvironmentId,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

impl KeyInfo {
    /// A key of this name in this environment, without a description, that never expires.
    ///
    /// # Errors
    /// [`Invalid`] unless the trimmed name has 1 to 100 characters, none of them a control, bidirectional
    /// or line-separator character, and not all of them invisible.
    pub fn new(name: impl AsRef<str>, environment: EnvironmentId) -> Result<Self, Invalid> {
        let name = text::name(name.as_ref())?;
        Ok(Self { name, description: String::new(), environment, expires_at: None })
    }

    /// What the key is for.
    ///
    /// # Errors
    /// [`Invalid`] for more than 1,000 characters after trimming, and for control (line breaks apart),
    /// bidirectional or line-separator characters.
    pub fn description(mut self, description: impl AsRef<str>) -> Result<Self, Invalid> {
        self.description = text::paragraph(Field::Description, description.as_ref())?;
        Ok(self)
    }

    /// The first moment at which the key is refused. It is judged in the last step and again when the key
    /// is generated.
    ///
    /// # Panics
    /// In chrono's conversion, for a `SystemTime` beyond the year 262142.
    pub fn expires_at(mut self, time: impl Into<DateTime<Utc>>) -> Self {
        self.expires_at = Some(time::micros(time.into()));
        self
    }
}
