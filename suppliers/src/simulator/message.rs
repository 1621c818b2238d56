//! The texts of the simulator's messages, one a platform.

use events::platform::Platform;

/// The built-in message of a platform: worded as such messages are, in our own words.
pub(super) fn template(platform: Platform) -> String {
    match platform {
        Platform::Google => "G-{code} is your Google verification code.".to_owned(),
        Platform::Facebook => "{code} is your Facebook confirmation code".to_owned(),
        Platform::WhatsApp => "Your WhatsApp code: {code}\nDo not share it with anyone".to_owned(),
        Platform::Telegram => "Telegram code: {code}".to_owned(),
        Platform::Steam => "Your Steam verification code is {code}".to_owned(),
        Platform::Line => "LINE verification code: {code}".to_owned(),
        other => format!(
            "{{code}} is your {} verification code. It expires in 10 minutes.",
            other.name()
        ),
    }
}
