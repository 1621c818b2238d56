//! How commands ask the running service's admin API.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::admin;
use crate::cli::{Place, in_words};
use crate::config::Config;

/// The running service's admin API.
pub struct Asking {
    config: Config,
    data_dir: PathBuf,
    runtime: tokio::runtime::Runtime,
}

impl Asking {
    pub fn new(place: &Place) -> Result<Self, String> {
        let (config, data_dir) = place.load().map_err(in_words)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(in_words)?;
        Ok(Self { config, data_dir, runtime })
    }

    /// Hands what the API answers to `take` as it comes; its refusal in words.
    pub fn copy(
        &self,
        path: &str,
        body: &impl Serialize,
        take: impl FnMut(&[u8]),
    ) -> Result<(), String> {
        let body = serde_json::to_value(body).map_err(in_words)?;
        let path = format!("/admin/v1/{path}");
        self.runtime.block_on(async {
            let response = sent(&self.config, &self.data_dir, &path, Some(&body)).await?;
            copied(response, take).await
        })
    }

    /// What the API answers; its refusal in words.
    pub fn ask(&self, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let (success, answer) = self.runtime.block_on(ask(
            &self.config,
            &self.data_dir,
            &format!("/admin/v1/{path}"),
            body,
        ))?;
        let answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| String::from_utf8_lossy(&answer).into_owned())?;
        if success { Ok(answer) } else { Err(refusal(&answer)) }
    }
}

fn refusal(answer: &Value) -> String {
    answer["error"].as_str().unwrap_or("the service refused").to_owned()
}

/// The answer's bytes as they come. One that ends before it should is an error.
async fn copied(
    mut response: Response<Incoming>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), String> {
    if !response.status().is_success() {
        let answer = response.into_body().collect().await.map_err(in_words)?.to_bytes();
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        return Err(refusal(&answer));
    }
    while let Some(frame) = response.body_mut().frame().await {
        let cut = |_| "the service has cut its answer off: its log says why".to_owned();
        if let Some(bytes) = frame.map_err(cut)?.data_ref() {
            take(bytes);
        }
    }
    Ok(())
}

async fn ask(
    config: &Config,
    data_dir: &Path,
    path: &str,
    body: Option<&Value>,
) -> Result<(bool, Bytes), String> {
    let response = sent(config, data_dir, path, body).await?;
    let success = response.status().is_success();
    let answer = response.into_body().collect().await.map_err(in_words)?.to_bytes();
    Ok((success, answer))
}

/// The beginning of the API's answer.
async fn sent(
    config: &Config,
    data_dir: &Path,
    path: &str,
    body: Option<&Value>,
) -> Result<Response<Incoming>, String> {
    let address = admin::address(&config.admin, data_dir).ok_or_else(|| {
        format!("no service has run on {}; name it with --data-dir", data_dir.display())
    })?;
    let token = match std::env::var("TELENUMERUS_ADMIN_TOKEN") {
        Ok(token) => suppliers::configuration::Secret::new(token),
        Err(_) => admin::token(&config.admin, data_dir, || 0).map_err(in_words)?,
    };
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("no service answers at {address}: {error}"))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(in_words)?;
    tokio::spawn(connection);
    let method = if body.is_some() { "POST" } else { "GET" };
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", address.to_string())
        .header("authorization", format!("Bearer {}", token.expose()))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(in_words)?;
    sender.send_request(request).await.map_err(in_words)
}
