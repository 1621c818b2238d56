//! The messages of an answer.

use std::collections::HashMap;

use prost_types::Timestamp;

use crate::log::Event;
use crate::protocol::event_store::client::uuid::{Structured, Value};
use crate::protocol::streams::ReadResp;
use crate::protocol::streams::read_resp::read_event::{Position as EventPosition, RecordedEvent};
use crate::protocol::streams::read_resp::{
    CaughtUp, Checkpoint, Content, Position, ReadEvent, StreamNotFound, SubscriptionConfirmation,
};
use crate::protocol::{StreamIdentifier, Uuid};

/// Of their times, in a millisecond.
const TICKS: i64 = 10_000;

/// An id as the caller wants it.
pub fn uuid(id: u128, is_textual: bool) -> Uuid {
    let value = if is_textual {
        Value::String(hyphenated(id))
    } else {
        let halves = [id >> 64, id & u128::from(u64::MAX)];
        let [most, least] =
            halves.map(|half| u64::try_from(half).expect("half of 128 bits").cast_signed());
        Value::Structured(Structured { most_significant_bits: most, least_significant_bits: least })
    };
    Uuid { value: Some(value) }
}

fn hyphenated(id: u128) -> String {
    let digits = format!("{id:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}

/// An event.
pub fn event(event: Event, has_textual_ids: bool) -> ReadResp {
    let Event { id, stream, revision, position, name, at, data, metadata } = event;
    let properties = [
        ("type", name),
        ("content-type", "application/json".to_owned()),
        ("created", at.saturating_mul(TICKS).to_string()),
    ];
    let recorded = RecordedEvent {
        id: Some(uuid(id, has_textual_ids)),
        stream_identifier: Some(identifier(&stream)),
        stream_revision: revision,
        prepare_position: position,
        commit_position: position,
        metadata: HashMap::from(properties.map(|(key, value)| (key.to_owned(), value))),
        custom_metadata: metadata.into(),
        data: data.into(),
    };
    // Clients refuse an event without the position beside it, of a stream's read too.
    content(Content::Event(ReadEvent {
        event: Some(recorded),
        link: None,
        position: Some(EventPosition::CommitPosition(position)),
    }))
}

/// The subscription stands. It is the first message: clients raise an error otherwise.
pub fn confirmation(id: String) -> ReadResp {
    content(Content::Confirmation(SubscriptionConfirmation { subscription_id: id }))
}

/// Everything up to here was looked at.
pub fn checkpoint(position: u64, now: Timestamp) -> ReadResp {
    content(Content::Checkpoint(Checkpoint {
        commit_position: position,
        prepare_position: position,
        timestamp: Some(now),
    }))
}

/// There is no such stream.
pub fn not_found(stream: &str) -> ReadResp {
    content(Content::StreamNotFound(StreamNotFound { stream_identifier: Some(identifier(stream)) }))
}

/// Where the stream ends.
pub fn last_of_stream(revision: u64) -> ReadResp {
    content(Content::LastStreamPosition(revision))
}

/// What comes from here on is new.
pub fn caught_up(revision: Option<u64>, position: Option<u64>, now: Timestamp) -> ReadResp {
    let position =
        position.map(|position| Position { commit_position: position, prepare_position: position });
    let stream_revision = revision.and_then(|revision| i64::try_from(revision).ok());
    content(Content::CaughtUp(CaughtUp { timestamp: Some(now), stream_revision, position }))
}

fn identifier(stream: &str) -> StreamIdentifier {
    StreamIdentifier { stream_name: stream.to_owned().into_bytes().into() }
}

fn content(content: Content) -> ReadResp {
    ReadResp { content: Some(content) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_in_both_forms() {
        let id = 0x0102_0304_0506_0708_f90a_0b0c_0d0e_0f10_u128;
        assert_eq!(
            uuid(id, true).value,
            Some(Value::String("01020304-0506-0708-f90a-0b0c0d0e0f10".to_owned()))
        );
        let Some(Value::Structured(halves)) = uuid(id, false).value else { panic!("structured") };
        assert_eq!(halves.most_significant_bits, 0x0102_0304_0506_0708);
        assert_eq!(
            halves.least_significant_bits.to_be_bytes(),
            [0xf9, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10]
        );
    }
}
