//! Which keys of a project are meant, when all of a kind are.

use super::{AccessKey, Actor, AgentId, EnvironmentId, KeyQuery, PromptId, Scope};

/// Which keys of a project are meant, where all that meet a condition are.
///
/// ```
/// use access_keys::{Actor, AgentId, EnvironmentId, domain::Which};
///
/// let agent = AgentId::new("support-bot")?;
/// let narrow = Which::naming_agent(agent.clone()); // not those that may call all agents
/// let wide = Which::reaching_agent(agent);
/// let both = Which::of_environment(EnvironmentId::new("staging")?).and(Which::created_by(Actor::user("ada")?));
/// # let _ = (narrow, wide, both);
/// # Ok::<(), access_keys::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Which(Vec<Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Environment(EnvironmentId),
    CreatedBy(Actor),
    ReachesAgent(AgentId),
    NamesAgent(AgentId),
    ReachesPrompt(PromptId),
    NamesPrompt(PromptId),
}

impl Which {
    /// Every key of the project.
    #[must_use]
    pub const fn every_key() -> Self {
        Self(Vec::new())
    }

    /// Those of one environment.
    #[must_use]
    pub fn of_environment(environment: EnvironmentId) -> Self {
        Self(vec![Condition::Environment(environment)])
    }

    /// Those that this one generated or imported, whoever changed them since.
    ///
    /// The actor is compared as a whole, its kind and its name to the letter: one that is misspelt made none. A key of
    /// another whose token this one has drawn by a rotation is not meant; the history tells of it
    /// ([`AuditQuery::actor`](crate::AuditQuery::actor) with [`Action::Rotated`](super::Action::Rotated)).
    #[must_use]
    pub fn created_by(actor: Actor) -> Self {
        Self(vec![Condition::CreatedBy(actor)])
    }

    /// Those that may call this agent: because they name it, or because they may call all agents.
    #[must_use]
    pub fn reaching_agent(agent: AgentId) -> Self {
        Self(vec![Condition::ReachesAgent(agent)])
    }

    /// Those that name this agent. A key that may call all agents names none.
    #[must_use]
    pub fn naming_agent(agent: AgentId) -> Self {
        Self(vec![Condition::NamesAgent(agent)])
    }

    /// Those that may call this prompt: because they name it, or because they may call all prompts.
    #[must_use]
    pub fn reaching_prompt(prompt: PromptId) -> Self {
        Self(vec![Condition::ReachesPrompt(prompt)])
    }

    /// Those that name this prompt. A key that may call all prompts names none.
    #[must_use]
    pub fn naming_prompt(prompt: PromptId) -> Self {
        Self(vec![Condition::NamesPrompt(prompt)])
    }

    /// Those that are meant by both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether `key` is meant.
    #[must_use]
    pub fn includes(&self, key: &AccessKey) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Environment(environment) => key.environment == *environment,
            Condition::CreatedBy(actor) => key.created_by == *actor,
            Condition::ReachesAgent(agent) => key.agents.allows(agent),
            Condition::NamesAgent(agent) => {
                matches!(key.agents, Scope::Specific(_)) && key.agents.allows(agent)
            }
            Condition::ReachesPrompt(prompt) => key.prompts.allows(prompt),
            Condition::NamesPrompt(prompt) => {
                matches!(key.prompts, Scope::Specific(_)) && key.prompts.allows(prompt)
            }
        })
    }

    /// A query that finds all of them, and perhaps more.
    pub(crate) fn query(&self) -> KeyQuery {
        self.0.iter().cloned().fold(KeyQuery::default(), |query, condition| match condition {
            Condition::Environment(environment) => query.environment(environment),
            Condition::ReachesAgent(agent) | Condition::NamesAgent(agent) => query.agent(agent),
            Condition::ReachesPrompt(prompt) | Condition::NamesPrompt(prompt) => query.prompt(prompt),
            Condition::CreatedBy(_) => query,
        })
    }
}
