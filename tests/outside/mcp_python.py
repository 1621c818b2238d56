"""The official Python client drives the whole story over stdio and HTTP, with the current protocol and with initialize; then what is malformed."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from service import BINARY, Service

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAUNCHER = os.path.join(ROOT, "mcp", "server.js")
TOOLS = {
    "sms_register", "sms_order", "sms_verify", "sms_check_order", "sms_cancel_order", "sms_account", "sms_availability", "sms_agent_order",
    "sms_deposit", "sms_list_services",
}
MODES = ["legacy", "2026-07-28", "auto"]


async def story(client, fund):
    """Register -> fund -> order -> code -> cancel, with every tool on the way."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == TOOLS, tools.keys()
    for tool in tools.values():
        assert tool.description and tool.title and tool.annotations and tool.output_schema, tool.name
        assert tool.input_schema["type"] == "object" and "$ref" not in json.dumps(tool.input_schema), tool.name
    assert tools["sms_account"].annotations.read_only_hint and tools["sms_cancel_order"].annotations.destructive_hint
    assert tools["sms_cancel_order"].annotations.idempotent_hint and not tools["sms_order"].annotations.read_only_hint

    async def call(name, **arguments):
        result = await client.call_tool(name, arguments)
        assert result.content[0].text, name
        return result

    account = (await call("sms_account")).structured_content
    await fund(account["account_id"])
    assert (await call("sms_deposit")).structured_content["addresses"]
    services = (await call("sms_list_services")).structured_content
    assert services["total_platforms"] == 33
    assert (await call("sms_availability", country="GB", platform="google")).structured_content["platforms"][0]["platform"] == "google"
    verified = await call("sms_verify", platform="google", country="US", idempotency_key="story")
    assert verified.structured_content["status"] == "ok" and verified.structured_content["code"], verified
    assert "hidden" in verified.structured_content["sms"], "strangers' texts are shown only when asked for"
    again = await call("sms_verify", platform="google", country="US", idempotency_key="story", include_sms=True)
    assert again.structured_content["order_id"] == verified.structured_content["order_id"]
    assert verified.structured_content["code"] in again.structured_content["sms"] and "untrusted" in again.content[0].text
    order = (await call("sms_order", platform="discord")).structured_content
    checked = (await call("sms_check_order", order_id=order["order_id"], wait=20)).structured_content
    assert checked["status"] == "completed" and checked["code"], checked
    late = await call("sms_cancel_order", order_id=order["order_id"])
    assert late.is_error and late.structured_content["order"]["code"] == checked["code"], "the code came first"
    priced = (await call("sms_agent_order", query="a Telegram number in Germany", dry_run=True)).structured_content
    assert priced["interpretation"]["country"] == "DE"
    refused = await call("sms_agent_order", query="hello")
    assert refused.is_error and refused.structured_content["understood"] is False
    missing = await call("sms_check_order", order_id="ord_nosuch")
    assert missing.is_error and missing.structured_content["error_code"] == "ORDER_NOT_FOUND"
    many = await asyncio.gather(*(call("sms_account") for _ in range(30)))
    assert all(not result.is_error for result in many)
    try:
        await client.call_tool("sms_nosuch", {})
        sys.exit("an unknown tool was called")
    except MCPError as refused:
        assert "sms_verify" in str(refused)
    guide = await client.read_resource("telenumerus://guide")
    assert "Telenumerus" in guide.contents[0].text
    prompt = await client.get_prompt("get_code", {"platform": "google"})
    assert "sms_verify" in prompt.messages[0].content.text
    return account["account_id"]


async def over_http(mode):
    with Service() as service:
        key = service.register()["api_key"]
        headers = {"Authorization": f"Bearer {key}"}

        async def fund(account):
            service.admin("credit", account, "20", "--reason", "test", "--operator", "judge")

        async with httpx2.AsyncClient(headers=headers, timeout=60) as http_client:
            async with Client(streamable_http_client(service.url + "/mcp", http_client=http_client), mode=mode) as client:
                await story(client, fund)
        async with Client(service.url + "/mcp", mode=mode) as stranger:
            registered = await stranger.call_tool("sms_register", {})
            assert registered.structured_content["api_key"].startswith("tn_") and "TELENUMERUS_API_KEY" in registered.content[0].text
            refused = await stranger.call_tool("sms_account", {})
            assert refused.is_error and refused.structured_content["error_code"] == "INVALID_API_KEY"
        service.audit()


async def over_stdio(mode):
    """A service elsewhere, by URL and key."""
    with Service() as service:
        key = service.register()["api_key"]

        async def fund(account):
            service.admin("credit", account, "20", "--reason", "test", "--operator", "judge")

        environment = {**os.environ, "TELENUMERUS_URL": service.url, "TELENUMERUS_API_KEY": key}
        async with Client(StdioServerParameters(command=BINARY, args=["mcp"], env=environment), mode=mode) as client:
            await story(client, fund)
        service.audit()


async def embedded(mode):
    """A service of its own, through the launcher; its first account is the one it goes on with."""
    with tempfile.TemporaryDirectory() as directory:
        config = os.path.join(directory, "config.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[limits]\nper_ip_per_minute = 0\nper_key_per_minute = 0\n[suppliers.simulator]\ndelivery_seconds = [0.05, 0.1]\n[admin]\nlisten = "127.0.0.1:0"\n')
        data = os.path.join(directory, "data")
        place = ["--config", config, "--data-dir", data]

        async def fund(account):
            subprocess.run([BINARY, "admin", "credit", account, "20", "--reason", "test", "--operator", "judge", *place], check=True, stdout=subprocess.DEVNULL)

        environment = {**os.environ, "TELENUMERUS_CONFIG": config}
        parameters = StdioServerParameters(command="node", args=[LAUNCHER, "--embedded", data], env=environment)
        async with Client(parameters, mode=mode) as client:
            opened = await client.call_tool("sms_account", {})
            assert not opened.is_error, "the first start opens an account"
            registered = await client.call_tool("sms_register", {})
            account = await client.call_tool("sms_account", {})
            assert account.structured_content["account_id"] == registered.structured_content["account_id"], "one that is asked for takes its place"
            await story(client, fund)
        subprocess.run([BINARY, "audit", "verify", *place], check=True, stdout=subprocess.DEVNULL)


async def waits():
    """Progress while a code is awaited; the answer within a minute; giving up cancels nothing."""
    with Service("failure_rate = 1.0\n") as service:
        account = service.register(dollars=20)
        headers = {"Authorization": f"Bearer {account['api_key']}"}
        seen = []

        async def progress(done, total, message):
            seen.append((done, total, message))

        async with httpx2.AsyncClient(headers=headers, timeout=60) as http_client:
            async with Client(streamable_http_client(service.url + "/mcp", http_client=http_client)) as client:
                result = await client.call_tool("sms_verify", {"platform": "google", "timeout_seconds": 12}, progress_callback=progress)
                body = result.structured_content
                assert body["status"] == "timeout" and "sms_check_order" in result.content[0].text, result
                assert len(seen) >= 2 and all(a[0] < b[0] for a, b in zip(seen, seen[1:])), seen
                cancelled = await client.call_tool("sms_cancel_order", {"order_id": body["order_id"]})
                assert cancelled.structured_content["refunded"] == body["price"]
                again = await client.call_tool("sms_cancel_order", {"order_id": body["order_id"]})
                assert again.structured_content == cancelled.structured_content
                waiting = asyncio.create_task(client.call_tool("sms_verify", {"platform": "google", "timeout_seconds": 40}))
                await asyncio.sleep(1)
                waiting.cancel()
                account = (await client.call_tool("sms_account", {})).structured_content
                assert account["active_order"], "a wait that is given up cancels no order"


def malformed():
    """What no client sends is survived, and the next one is served."""
    with Service() as service:
        environment = {**os.environ, "TELENUMERUS_URL": service.url}
        process = subprocess.Popen([BINARY, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
        initialize = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "judge", "version": "1"}}}
        frames = [json.dumps(initialize).encode(), b'{"jsonrpc":"2.0","method":"notifications/initialized"}', b"{", b"[]", b'"text"', b"\xff\xfe\x00", b"{}" * 10, b'{"jsonrpc":"2.0","id":2,"method":"no/such"}', b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":7}}', b'{"x":"' + b"y" * 3_000_000 + b'"}', b'{"jsonrpc":"2.0","id":4,"method":"tools/list"}']
        for frame in frames:
            process.stdin.write(frame + b"\n")
        process.stdin.flush()
        listed = None
        while listed is None:
            line = process.stdout.readline()
            assert line, "the server ended"
            message = json.loads(line)
            if message.get("id") == 4:
                listed = message["result"]["tools"]
        assert len(listed) == 10
        process.stdin.close()
        assert process.wait(timeout=10) == 0, "a closed pipe is an orderly end"

        def post(body, **headers):
            base = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            return httpx2.post(service.url + "/mcp", content=body, headers={**base, **headers}, timeout=20)

        assert post(b"{").status_code == 400
        assert post(b'{"x":"' + b"y" * 3_000_000 + b'"}').status_code == 413
        assert post(json.dumps(initialize), Origin="https://evil.example").status_code == 403
        assert post(json.dumps(initialize), Host="evil.example").status_code in (400, 403)
        assert post(json.dumps(initialize), **{"Content-Type": "text/plain"}).status_code == 415
        for method in ("GET", "DELETE"):
            answer = httpx2.request(method, service.url + "/mcp", headers={"Accept": "text/event-stream"})
            assert answer.status_code == 405, (method, answer.status_code)
        assert post(json.dumps(initialize)).status_code == 200
        assert post(json.dumps(initialize), Authorization="Bearer tn_wrong").status_code == 401
    missing = subprocess.run(["node", LAUNCHER], env={**os.environ, "TELENUMERUS_BIN": "/nowhere/telenumerus"}, capture_output=True, text=True)
    assert missing.returncode == 127 and len(missing.stderr.strip().splitlines()) == 1, missing


for mode in MODES:
    asyncio.run(over_http(mode))
    asyncio.run(over_stdio(mode))
    print(f"{mode}: the whole story over HTTP and stdio")
asyncio.run(embedded("auto"))
asyncio.run(waits())
malformed()
print("embedded, waits, and what is malformed")
