#!/usr/bin/env node
// Launcher of `telenumerus mcp`: finds the built binary, passes stdio through, forwards signals and the exit code. Needs no npm packages.
"use strict";

const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { delimiter, join } = require("node:path");
const { constants } = require("node:os");

function find() {
  if (process.env.TELENUMERUS_BIN) return process.env.TELENUMERUS_BIN;
  const target = join(__dirname, "..", "target");
  const paths = (process.env.PATH || "").split(delimiter).filter(Boolean);
  const places = [join(target, "release"), join(target, "debug"), ...paths];
  return places.map((place) => join(place, "telenumerus")).find(existsSync);
}

const binary = find();
if (!binary || !existsSync(binary)) {
  console.error(
    binary
      ? `telenumerus: TELENUMERUS_BIN names ${binary}, which is not there; build it with \`cargo build --release\`.`
      : "telenumerus: the binary is not built; run `cargo build --release` in this project, or set TELENUMERUS_BIN to where it is."
  );
  process.exit(127);
}

const child = spawn(binary, ["mcp", ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
  console.error(`telenumerus: ${binary} cannot be started: ${error.message}`);
  process.exit(126);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] || 0) : code));
