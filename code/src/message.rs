//! A message as it came: its text, who sent it, and to which number.

/// A text message to read a code from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The whole text.
    pub text: &'a str,
    /// The sender as the network names it: a name, a short number or a phone number.
    pub sender: Option<&'a str>,
    /// The number it was sent to, in international form: it may stand in the text and is no code.
    pub recipient: Option<&'a str>,
}

impl<'a> Message<'a> {
    /// A message of which only the text is known.
    pub const fn new(text: &'a str) -> Self {
        Self { text, sender: None, recipient: None }
    }

    /// The message, sent by `sender`.
    #[must_use]
    pub const fn sent_by(self, sender: &'a str) -> Self {
        Self { sender: Some(sender), ..self }
    }

    /// The message, sent to the number `recipient`.
    #[must_use]
    pub const fn sent_to(self, recipient: &'a str) -> Self {
        Self { recipient: Some(recipient), ..self }
    }
}
