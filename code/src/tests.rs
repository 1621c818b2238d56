//! What the crate promises about whole messages; the many languages are in `tests/messages.txt`.

use crate::{Message, Service, Verdict, extract};

#[test]
fn a_message_is_read_for_the_service_it_is_expected_from() {
    let text = "482913 is your Discord verification code";
    let read = |service: &str| extract(&Message::new(text), Service::named(service)).verdict;
    assert_eq!(read("discord"), Verdict::Code("482913".to_owned()));
    assert_eq!(read("google"), Verdict::OtherBrand("discord".to_owned()));
}
