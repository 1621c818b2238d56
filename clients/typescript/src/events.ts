// Server-sent events out of a reply; one that is cut in its middle is none.

export interface ServerEvent {
  id?: string;
  data?: string;
}

export async function* events(reply: Response, onBytes: () => void): AsyncGenerator<ServerEvent, void, undefined> {
  if (!reply.body) return;
  const decoder = new TextDecoder();
  let rest = "";
  let event: ServerEvent = {};
  const reader = reply.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.map((found) => found.replace(/\r$/, ""))) {
      if (line === "") {
        if (event.data !== undefined || event.id !== undefined) yield event;
        event = {};
        continue;
      }
      const [name, said] = halves(line);
      if (name === "id") event.id = said;
      if (name === "data") event.data = event.data === undefined ? said : `${event.data}\n${said}`;
    }
  }
}

function halves(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}
