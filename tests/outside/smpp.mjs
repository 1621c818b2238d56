// An SMSC of node-smpp: `smpp.mjs <port>`. Commands come in as lines of JSON, what happens goes out as such.
import { createRequire } from "node:module";
import readline from "node:readline";

const require = createRequire(`${process.env.OUTSIDE_NODE}/`);
const smpp = require("smpp");

const sessions = new Set();
const say = (fact) => console.log(JSON.stringify(fact));

const server = smpp.createServer({}, (session) => {
  session.on("error", () => {});
  session.on("pdu", (pdu) => {
    if (pdu.command.startsWith("bind_") && !pdu.command.endsWith("_resp")) {
      const known = pdu.system_id === "judge" && pdu.password === "secret";
      session.send(pdu.response({ command_status: known ? smpp.ESME_ROK : smpp.ESME_RINVPASWD, system_id: "node-smpp" }));
      if (known) sessions.add(session);
      say({ bound: known, how: pdu.command, version: pdu.interface_version });
    } else if (pdu.command === "unbind") {
      session.send(pdu.response());
      say({ unbound: true });
    } else if (pdu.command === "enquire_link") {
      session.send(pdu.response());
      say({ enquired: true });
    } else if (pdu.command === "generic_nack") {
      say({ nack: pdu.command_status, sequence: pdu.sequence_number });
    }
  });
  session.on("close", () => sessions.delete(session));
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => say({ listening: true }));

// Messages in long ones as node-smpp cuts and encodes them; `bytes` are sent as they are.
function message({ bytes, udh, text }) {
  if (bytes !== undefined) return Buffer.from(bytes, "hex");
  return udh === undefined ? text : { udh: Buffer.from(udh, "hex"), message: text };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const [session] = [...sessions].slice(-1);
  if (command.deliver) {
    const { bytes, udh, text, payload, coding, ...rest } = command.deliver;
    const pdu = { source_addr: "Google", destination_addr: "12025550101", ...rest };
    if (coding !== undefined) pdu.data_coding = coding;
    if (payload !== undefined) pdu.message_payload = Buffer.from(payload, "hex");
    else pdu.short_message = message({ bytes, udh, text });
    session.deliver_sm(pdu, (answer) => say({ id: command.id, status: answer.command_status }));
  } else if (command.raw) {
    session.socket.write(Buffer.from(command.raw, "hex"));
    say({ id: command.id });
  } else if (command.enquire) {
    session.enquire_link({}, (answer) => say({ id: command.id, status: answer.command_status }));
  } else if (command.drop) {
    for (const one of sessions) one.socket.destroy();
    say({ id: command.id });
  }
}
process.exit(0);
