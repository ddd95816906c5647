// A server on the second TypeScript SDK, for both eras at one address. Each call that it carries out is a line on stdout.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { buffer } from "node:stream/consumers";

const need = createRequire(process.argv[2] + "/");
const { McpServer, createMcpHandler, fromJsonSchema } = need("@modelcontextprotocol/server");

const inputSchema = fromJsonSchema({
  type: "object",
  properties: { customer_id: { type: "string" }, note: { type: "string" } },
  required: ["customer_id"],
});
const TOOLS = {
  get_customer: (id) => `customer ${id} paid with 4012 8888 8888 1881`,
  search_customers: (id, note) => `searched ${id} for ${note}`,
  purge_customers: (id) => `purged ${id}`,
  delete_customer: (id) => `deleted ${id}`,
  remove_customer: (id) => `removed ${id}`,
};

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: "customers", version: "1" });
  for (const [name, answer] of Object.entries(TOOLS))
    server.registerTool(name, { description: name, inputSchema }, ({ customer_id, note }) => {
      process.stdout.write(`${JSON.stringify({ tool: name, customer_id, note })}\n`);
      return { content: [{ type: "text", text: answer(customer_id, note) }] };
    });
  return server;
});

const server = createServer(async (asked, answered) => {
  const body = asked.method === "POST" ? await buffer(asked) : undefined;
  const gone = new AbortController();
  answered.on("close", () => gone.abort());
  const { method, headers } = asked;
  const reply = await handler.fetch(new Request(`http://127.0.0.1${asked.url}`, { method, headers, body, signal: gone.signal }));
  answered.writeHead(reply.status, Object.fromEntries(reply.headers));
  for await (const part of reply.body ?? []) answered.write(part);
  answered.end();
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`));
