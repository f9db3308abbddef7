//! What a running stream needs of its key.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{AccessKey, AgentId, PromptId, ResourceId, Scope};
use crate::verify::{Denial, Grant};

/// What a running stream needs of its key, so that an edit which takes something else away does not end it.
///
/// [`AccessKeyLayer::end_streams`](super::AccessKeyLayer::end_streams) puts one into the extensions of the request;
/// `RequireAgent` and `RequirePrompt` (feature `axum`) require by it, and so does a handler that learns from the body what
/// is asked for. As long as nothing is written the stream is taken to need all that its grant allowed: any
/// narrowing ends it. Clones are one.
///
/// ```
/// use access_keys::{AgentId, Denial, Grant, http::Needs};
///
/// fn chat(grant: &Grant, needs: &Needs, agent: &AgentId) -> Result<(), Denial> {
///     needs.require_agent(grant, agent)?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Needs(Arc<Mutex<Vec<Need>>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    Agent(AgentId),
    Prompt(PromptId),
}

impl Needs {
    /// Refuses unless the key may call this agent, and needs it from then on.
    ///
    /// # Errors
    /// [`Denial::AgentNotInScope`].
    pub fn require_agent(&self, grant: &Grant, agent: &AgentId) -> Result<(), Denial> {
        grant.require_agent(agent)?;
        self.agent(agent);
        Ok(())
    }

    /// Refuses unless the key may call this prompt, and needs it from then on.
    ///
    /// # Errors
    /// [`Denial::PromptNotInScope`].
    pub fn require_prompt(&self, grant: &Grant, prompt: &PromptId) -> Result<(), Denial> {
        grant.require_prompt(prompt)?;
        self.prompt(prompt);
        Ok(())
    }

    pub(super) fn agent(&self, agent: &AgentId) {
        self.add(Need::Agent(agent.clone()));
    }

    pub(super) fn prompt(&self, prompt: &PromptId) {
        self.add(Need::Prompt(prompt.clone()));
    }

    fn add(&self, need: Need) {
        let mut needs = self.lock();
        if !needs.contains(&need) {
            needs.push(need);
        }
    }

    /// Whether the grant of now still does for what began with the grant of then.
    pub(super) fn pass(&self, then: &Grant, now: &Grant) -> Result<(), Denial> {
        if then.key().revision == now.key().revision {
            return Ok(());
        }
        let needs = self.lock();
        for need in &*needs {
            match need {
                Need::Agent(agent) => now.require_agent(agent)?,
                Need::Prompt(prompt) => now.require_prompt(prompt)?,
            }
        }
        if needs.is_empty() { keeps_all(then.key(), now.key()) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Need>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keeps_all(then: &AccessKey, now: &AccessKey) -> Result<(), Denial> {
    if !covers(&now.agents, &then.agents) {
        return Err(Denial::AgentNotInScope { key: now.id });
    }
    if !covers(&now.prompts, &then.prompts) {
        return Err(Denial::PromptNotInScope { key: now.id });
    }
    Ok(())
}

fn covers<T: ResourceId>(wide: &Scope<T>, narrow: &Scope<T>) -> bool {
    match (wide, narrow) {
        (Scope::All, _) => true,
        (Scope::Specific(_), Scope::All) => false,
        (Scope::Specific(_), Scope::Specific(ids)) => ids.iter().all(|id| wide.allows(id)),
    }
}
