//! How programs and agents use the account: the snippets, filled in but for the key, which no page
//! knows.

use maud::{Markup, html};

use super::{Context, ROOT};
use crate::console::page::Page;

/// The page.
pub fn page(context: &Context) -> Page {
    let base = &context.base;
    let over_http = format!(
        "{{ \"mcpServers\": {{ \"telenumerus\": {{\
         \n    \"type\": \"http\", \"url\": \"{base}/mcp\",\
         \n    \"headers\": {{ \"Authorization\": \"Bearer tn_…\" }} }} }} }}"
    );
    let over_stdio = format!(
        "{{ \"mcpServers\": {{ \"telenumerus\": {{\
         \n    \"command\": \"telenumerus\", \"args\": [\"mcp\"],\
         \n    \"env\": {{ \"TELENUMERUS_URL\": \"{base}\", \
         \"TELENUMERUS_API_KEY\": \"tn_…\" }} }} }} }}"
    );
    let curl = format!(
        "curl -s {base}/api/v1/verify -H \"Authorization: Bearer tn_…\" \\\
         \n  -H 'Content-Type: application/json' -d '{{\"platform\": \"google\", \"country\": \"US\"}}'"
    );
    let snippet = |title: &str, id: &str, text: &str, what: &str| -> Markup {
        html! {
            section.card {
                h2 { (title) }
                p.note { (what) }
                pre id=(id) { (text) }
                p {}
                button.quiet.small type="button" data-copy=(id) { "Copy" }
            }
        }
    };
    let body = html! {
        p {
            "Put your key in the place of "
            code { "tn_…" }
            "; a key of its own for each program is made under "
            a href={ (ROOT) "/keys" } { "Keys" }
            "."
        }
        (snippet("Agents over HTTP", "mcp-http", &over_http, "For hosts that speak MCP over HTTP."))
        (snippet("Agents over stdio", "mcp-stdio", &over_stdio, "For hosts that start a program."))
        (snippet("One call", "curl", &curl, "Orders a number, waits, and answers with the code."))
        p {
            a href="/docs/" { "API reference" }
            " · "
            a href="/llms-full.txt" { "Guide" }
            " · "
            a href="/openapi.json" { "OpenAPI" }
        }
    };
    Page::new("Connect", "connect", body)
}
