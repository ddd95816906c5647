// MCP Inspector's command line: a process, and a connection, for every step.
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { need, order, say, take } from "./steps.mjs";

const program = need.resolve("@modelcontextprotocol/inspector/package.json").replace("package.json", "clients/launcher/build/index.js");

async function run(...more) {
  const told = ["--cli", "--server-url", order.url, "--transport", order.transport, "--protocol-era", order.era];
  const header = ["--header", `Authorization: Bearer ${order.token}`];
  const child = spawn(process.execPath, [program, ...told, ...header, ...more], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  try {
    return JSON.parse(out);
  } catch {
    throw new Error(`${out}${err}`.trim().slice(0, 500));
  }
}

say({ version: "", server: "" });
await take(
  async () => (await run("--method", "tools/list")).tools.map((tool) => tool.name),
  (name, args) => {
    const pairs = Object.entries(args).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    return run("--method", "tools/call", "--tool-name", name, ...(pairs.length ? ["--tool-arg", ...pairs] : []));
  },
);
