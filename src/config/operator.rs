//! Who runs the service, and where those who are harmed by what somebody does with it write to.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::bounds::is_line;

/// Longest name or contact.
const LONGEST: usize = 200;

/// Who runs the service; all of it is shown to everybody.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Operator {
    /// The operator's name.
    pub name: Option<String>,
    /// Where abuse is reported: a mail address, or an address that begins with https:, mailto: or
    /// tel:.
    pub abuse_contact: Option<String>,
    /// Where faults of the service are reported, if not there.
    pub security_contact: Option<String>,
}

impl Operator {
    /// The contact for abuse, as an address that links lead to.
    pub fn abuse(&self) -> Option<String> {
        self.abuse_contact.as_deref().map(address)
    }

    /// Where faults are reported.
    pub fn security(&self) -> Option<String> {
        self.security_contact.as_deref().or(self.abuse_contact.as_deref()).map(address)
    }

    pub(super) fn contradictions(&self) -> Vec<String> {
        let name = self.name.as_deref().filter(|name| !is_line(name, LONGEST)).map(|_| {
            format!("operator.name has 1 to {LONGEST} bytes, on one line, and no spaces around it")
        });
        let contacts = [
            ("operator.abuse_contact", &self.abuse_contact),
            ("operator.security_contact", &self.security_contact),
        ];
        let wrong = contacts.into_iter().filter_map(|(key, contact)| {
            let contact = contact.as_deref()?;
            (!is_line(contact, LONGEST) || !is_contact(contact)).then(|| {
                format!(
                    "{key} is a mail address, or begins with https:, mailto: or tel:, such as \
                     abuse@example.com"
                )
            })
        });
        name.into_iter().chain(wrong).collect()
    }
}

/// Whether somebody can be reached there.
fn is_contact(contact: &str) -> bool {
    if contact.contains(char::is_whitespace) {
        return false;
    }
    match Url::parse(&address(contact)) {
        Ok(url) if url.scheme() == "mailto" => url
            .path()
            .split_once('@')
            .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty()),
        Ok(url) => ["https", "tel"].contains(&url.scheme()),
        Err(_) => false,
    }
}

fn address(contact: &str) -> String {
    let is_mail = contact.contains('@') && !contact.contains(':');
    if is_mail { format!("mailto:{contact}") } else { contact.to_owned() }
}
