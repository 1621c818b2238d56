//! Writes `esdb/src/generated` from `esdb/protos`, with protox in place of protoc: nothing has to
//! be installed for it.

use std::path::Path;

/// The services' files; those that they import come with them.
const FILES: [&str; 3] = ["streams.proto", "gossip.proto", "serverfeatures.proto"];
/// Payloads and names, which are handed on and not copied.
const BYTES: [&str; 4] = [
    ".event_store.client.StreamIdentifier.stream_name",
    ".event_store.client.streams.ReadResp.ReadEvent.RecordedEvent.custom_metadata",
    ".event_store.client.streams.ReadResp.ReadEvent.RecordedEvent.data",
    ".event_store.client.streams.AppendReq.ProposedMessage.data",
];

/// Writes the files anew; an error says in words why it could not.
pub fn write(root: &Path) -> Result<(), String> {
    let crate_root = root.join("esdb");
    let described =
        protox::compile(FILES, [crate_root.join("protos")]).map_err(|error| error.to_string())?;
    let mut builder = tonic_prost_build::configure()
        .build_transport(false)
        .extern_path(".event_store.client.Empty", "()");
    for path in BYTES {
        builder = builder.bytes(path);
    }
    let out = crate_root.join("src").join("generated");
    builder.out_dir(out).compile_fds(described).map_err(|error| error.to_string())
}
