// The client of the first TypeScript SDK, @modelcontextprotocol/sdk.
import { need, order, say, take } from "./steps.mjs";

const { Client } = need("@modelcontextprotocol/sdk/client/index.js");
const { SSEClientTransport } = need("@modelcontextprotocol/sdk/client/sse.js");
const { StreamableHTTPClientTransport } = need("@modelcontextprotocol/sdk/client/streamableHttp.js");

const Transport = order.transport === "sse" ? SSEClientTransport : StreamableHTTPClientTransport;
const requestInit = { headers: { Authorization: `Bearer ${order.token}` } };
const transport = new Transport(new URL(order.url), { requestInit });
const client = new Client({ name: "typescript-one", version: "1" });
await client.connect(transport);
say({ version: transport.protocolVersion ?? "", server: client.getServerVersion().name });
await take(
  async () => (await client.listTools()).tools.map((tool) => tool.name),
  (name, args) => client.callTool({ name, arguments: args }),
);
await client.close();
