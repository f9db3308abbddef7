//! What the organisation has configured: providers, and the agents and prompts that they stand behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use access_keys::{AgentId, PromptId};
use serde::Deserialize;

use crate::Result;
use crate::provider::{Format, Provider};
use crate::template::Template;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) prompts: BTreeMap<PromptId, Prompt>,
}

/// The model that answers.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) provider: Arc<Provider>,
    /// As the provider calls it.
    pub(crate) name: String,
}

#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) model: Model,
    pub(crate) instructions: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Prompt {
    pub(crate) model: Model,
    pub(crate) template: Template,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    providers: BTreeMap<String, OfProvider>,
    #[serde(default)]
    agents: BTreeMap<AgentId, OfAgent>,
    #[serde(default)]
    prompts: BTreeMap<PromptId, OfPrompt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfProvider {
    format: Format,
    address: String,
    credential_env: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfAgent {
    provider: String,
    model: String,
    instructions: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfPrompt {
    provider: String,
    model: String,
    template: Template,
}

impl Settings {
    /// The id of an agent, if this is one.
    pub(crate) fn agent(&self, id: &str) -> Option<&AgentId> {
        self.agents.get_key_value(&AgentId::new(id).ok()?).map(|(id, _)| id)
    }

    /// The id of a prompt, if this is one.
    pub(crate) fn prompt(&self, id: &str) -> Option<&PromptId> {
        self.prompts.get_key_value(&PromptId::new(id).ok()?).map(|(id, _)| id)
    }

    pub(crate) fn read(text: &str) -> Result<Self> {
        let File { providers, agents, prompts } = toml::from_str(text)?;
        let mut known = BTreeMap::new();
        for (name, OfProvider { format, address, credential_env }) in providers {
            let credential = std::env::var(&credential_env)
                .map_err(|_| format!("the provider {name} needs its credential in {credential_env}"))?;
            let provider = Provider::new(name.clone(), format, &address, &credential)?;
            known.insert(name, Arc::new(provider));
        }
        let model = |provider: &str, name: String| match known.get(provider) {
            Some(provider) => Ok(Model { provider: Arc::clone(provider), name }),
            None => Err(format!("there is no provider {provider}")),
        };
        let agents = agents.into_iter().map(|(id, OfAgent { provider, model: name, instructions })| {
            Ok((id, Agent { model: model(&provider, name)?, instructions }))
        });
        let prompts = prompts.into_iter().map(|(id, OfPrompt { provider, model: name, template })| {
            Ok((id, Prompt { model: model(&provider, name)?, template }))
        });
        Ok(Self {
            agents: agents.collect::<Result<_, String>>()?,
            prompts: prompts.collect::<Result<_, String>>()?,
        })
    }
}
